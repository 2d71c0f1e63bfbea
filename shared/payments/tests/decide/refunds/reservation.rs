//! Tests that a refund reserves its amount before the refund request is sent.

use ecommpay::answer::Answer;
use payments::decide::{Command, Fact, Rejection};
use payments::model::{Private, RefundOrder, RefundStatus, Status};
use serde_json::json;

use crate::fixtures::*;

#[test]
fn a_refund_is_refused_when_it_exceeds_the_remaining_amount() {
    let mut payment = TestPayment::created();
    let unpaid = payment.reserve("r-0", None);
    assert_eq!(unpaid, Err(Rejection::NotRefundable));
    payment.callback("sale_success");
    assert_eq!(payment.reserve("r-1", Some(400)), Ok(true));
    let more = payment.reserve("r-2", Some(601));
    assert_eq!(more, Err(Rejection::MoreThanLeft(600)));
    assert_eq!(payment.reserve("r-2", None), Ok(true));
    assert_eq!(payment.our_refund("r-2").amount(), 600);
    let more = payment.reserve("r-3", Some(1));
    assert_eq!(more, Err(Rejection::MoreThanLeft(0)));
    assert!(
        poll_at(&payment).is_some(),
        "no poll is due, although a crash can lose Gate's answer"
    );
}

#[test]
fn only_a_payment_with_money_that_is_not_refunded_can_be_refunded() {
    let mut failed = TestPayment::created();
    failed.sale_answer(&refused("2004"));
    let mut refunded = TestPayment::paid();
    refunded.refund_succeeds("r-1", "7", 1000);
    for (mut payment, status) in [
        (failed, Status::Failed),
        (refunded, Status::Refunded),
        (
            TestPayment::with_callbacks(&["sale_decline_customer"]),
            Status::Declined,
        ),
        (
            TestPayment::with_callbacks(&["processing"]),
            Status::Processing,
        ),
    ] {
        assert_eq!(payment.status(), status);
        let refund = payment.reserve("r-2", Some(1));
        assert_eq!(refund, Err(Rejection::NotRefundable), "{status:?}");
    }
    for (file, status) in [
        ("amount_differs", Status::Quarantined),
        ("refund_partial_1", Status::PartiallyRefunded),
    ] {
        let mut payment = TestPayment::with_callbacks(&["sale_success", file]);
        assert_eq!(payment.status(), status);
        assert_eq!(payment.reserve("r-2", Some(1)), Ok(true), "{status:?}");
    }
}

#[test]
fn a_refund_that_an_operation_declines_releases_its_amount() {
    let mut payment = TestPayment::paid();
    payment.reserve("r-1", Some(400)).unwrap();
    payment.refund_answer("r-1", &accepted("q-r-1"));
    assert_eq!(payment.refund_sums(), (0, 400, 600));
    let fields = json!({ "merchant_refund_id": "r-1", "sum_initial": reports::euros(400) });
    payment.deliver(&refund_operation("7", "decline", fields));
    assert_eq!(payment.refund_status("r-1"), RefundStatus::Declined);
    assert_eq!(payment.refund_sums(), (0, 0, 1000));
}

#[test]
fn a_refund_id_belongs_to_one_refund() {
    let mut payment = TestPayment::paid();
    assert_eq!(payment.reserve("r-1", Some(400)), Ok(true));
    assert_eq!(payment.reserve("R-1", Some(400)), Ok(false));
    let other = payment.reserve("r-1", Some(500));
    assert_eq!(other, Err(Rejection::OtherContent));
}

#[test]
fn a_refused_refund_releases_its_amount_and_a_refund_without_an_answer_does_not() {
    let mut payment = TestPayment::paid();
    payment.reserve("r-1", Some(400)).unwrap();
    payment.reserve("r-2", None).unwrap();
    payment.refund_answer("r-2", &refused("3060"));
    assert_eq!(payment.refundable_amount(), 600);
    payment.refund_answer("r-1", &Answer::Unclear);
    assert_eq!(payment.refund_status("r-1"), RefundStatus::Unknown);
    assert_eq!(payment.refundable_amount(), 600);
    let events = ["r-1 pending", "r-2 pending", "r-2 declined", "r-1 unknown"];
    assert_eq!(payment.refund_events(), events);
}

/// The limits in this test are lower than the limits of DynamoDB (400 KB for an item) and SQS (1 MiB for a message).
#[test]
fn five_hundred_refunds_fit_into_one_item_and_one_event() {
    let mut payment = TestPayment::paid();
    // These texts are as long as the platform's request ids and a storefront's refund ids.
    let (long, uuid) = ("x".repeat(80), "3f0c8a52-6b1e-4d0c-9a57-2f3f4e5d6c");
    for number in 100..600 {
        let refund_id = format!("{uuid}{number}");
        let request_id = format!("{long}-{number}");
        let order = RefundOrder {
            description: text(&"d".repeat(255)),
            ip_address: Some(Private(text("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"))),
            content: "c".repeat(32),
            ..refund_order(&refund_id, Some(1))
        };
        payment.execute(Command::Refund(&order), NOW);
        let fact = Fact::RefundAnswer {
            refund_id: &id(&refund_id),
            answer: &accepted(&request_id),
        };
        payment.fact(fact, NOW);
        let callback = edited("refund_partial_1", |body| {
            body["operation"]["id"] = json!(37_493_000_000_000_u64 + number);
            body["operation"]["request_id"] = json!(request_id);
            body["operation"]["sum_initial"]["amount"] = json!(1);
            body["payment"]["merchant_refund_id"] = json!(refund_id);
        });
        payment.deliver(&callback);
    }
    let event = payment.events.last().unwrap().body.len();
    assert_eq!(payment.refunded_amount(), 500);
    let size = |payment: &TestPayment| json!(**payment).to_string().len();
    let by_callbacks = size(&payment);
    // The status answers report all operations again, ten in each answer.
    for tens in 10..60_u64 {
        let answer = edited("status_many_operations", |body| {
            body["payment"]["sum"]["amount"] = json!(500);
            let all = body["operations"].as_array_mut().unwrap();
            all.truncate(2);
            let template = all.pop().unwrap();
            all.extend((0..10).map(|unit| {
                let number = 10 * tens + unit;
                let mut operation = template.clone();
                operation["id"] = json!(37_493_000_000_000_u64 + number);
                operation["request_id"] = json!(format!("{long}-{number}"));
                operation["sum_initial"]["amount"] = json!(1);
                operation
            }));
        });
        payment.poll_now(NOW, &answer);
    }
    let item = size(&payment);
    println!("item {by_callbacks} bytes, {item} after the answers, event {event}");
    assert!(
        item < 380_000 && event < 256 * 1_024,
        "{by_callbacks}, {item}, {event}"
    );
}
