//! What may be refunded, and what is reserved for it.

use ecommpay::answer::Answer;
use payments::decide::{Command, Fact, Rejection, decide, execute};
use payments::model::{Private, RefundOrder, RefundStatus};
use serde_json::json;

use crate::story::*;

#[test]
fn money_of_an_unmatched_payment_is_emitted_and_can_be_refunded() {
    let first = decide(None, corpus("processing").fact(), NOW).unwrap();
    let success = corpus("sale_success").fact();
    let paid = decide(Some(&first.payment), success, NOW).unwrap();
    assert_eq!(paid.events.len(), 1);
    assert!(paid.events[0].body.contains("\"paid_amount\":1000"));
    let refund = RefundOrder {
        ip_address: Some(Private(text("192.0.2.1"))),
        ..refund("r-1", None)
    };
    let reserve = |refund: &RefundOrder| execute(Some(&paid.payment), Command::Refund(refund), NOW);
    assert!(reserve(&refund).unwrap().is_some());
    let without_address = RefundOrder {
        ip_address: None,
        ..refund.clone()
    };
    assert_eq!(reserve(&without_address), Err(Rejection::NoAddress));
}

#[test]
fn refunds_never_exceed_what_is_left() {
    let mut story = Story::created();
    assert_eq!(
        story.refund(&refund("r-0", None)),
        Err(Rejection::NotRefundable)
    );
    story.callback("sale_success");
    assert_eq!(story.refund(&refund("r-1", Some(400))), Ok(true));
    assert_eq!(
        story.refund(&refund("R-1", Some(400))),
        Ok(false),
        "the same again"
    );
    assert_eq!(
        story.refund(&refund("r-1", Some(500))),
        Err(Rejection::OtherContent)
    );
    assert_eq!(
        story.refund(&refund("r-2", Some(601))),
        Err(Rejection::MoreThanLeft(600))
    );
    assert_eq!(story.refund(&refund("r-2", None)), Ok(true));
    assert_eq!(story.payment.refund(&id("r-2")).unwrap().amount(), 600);
    assert!(
        poll_at(&story.payment).is_some(),
        "polled even after a crash before the answer"
    );
    assert_eq!(
        story.refund(&refund("r-3", Some(1))),
        Err(Rejection::MoreThanLeft(0))
    );

    story.refund_answer("r-2", &refused("3060"));
    assert_eq!(story.payment.refundable_amount(), 600, "no longer reserved");
    story.refund_answer("r-1", &Answer::Unclear);
    assert_eq!(
        story.payment.refund(&id("r-1")).unwrap().status(),
        RefundStatus::Unknown
    );
    assert_eq!(story.payment.refundable_amount(), 600, "still reserved");
    assert_eq!(
        story.kinds()[2..],
        [
            "refund.pending",
            "refund.pending",
            "refund.declined",
            "refund.unknown"
        ]
    );
}

#[test]
fn five_hundred_refunds_of_ours_fit_into_one_item() {
    let mut payment = Story::created().callback("sale_success").payment.clone();
    // As long as the ids of the platform, and as those of a storefront.
    let (long, uuid) = ("x".repeat(80), "3f0c8a52-6b1e-4d0c-9a57-2f3f4e5d6c");
    let mut largest = 0;
    for number in 100..600 {
        let refund_id = format!("{uuid}{number}");
        let request_id = format!("{long}-{number}");
        let order = RefundOrder {
            description: text(&"d".repeat(255)),
            ip_address: Some(Private(text("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"))),
            content: "c".repeat(32),
            ..refund(&refund_id, Some(1))
        };
        let reserved = run(Some(&payment), Command::Refund(&order), NOW);
        payment = reserved.unwrap().payment;
        let fact = Fact::RefundAnswer {
            refund_id: &id(&refund_id),
            answer: &accepted(&request_id),
        };
        payment = decide(Some(&payment), fact, NOW).unwrap().payment;
        let callback = edited("refund_partial_1", |body| {
            body["operation"]["id"] = json!(37_493_000_000_000_u64 + number);
            body["operation"]["request_id"] = json!(request_id);
            body["operation"]["sum_initial"]["amount"] = json!(1);
            body["payment"]["merchant_refund_id"] = json!(refund_id);
        });
        let change = decide(Some(&payment), callback.fact(), NOW).unwrap();
        largest = change
            .events
            .iter()
            .map(|event| event.body.len())
            .max()
            .unwrap();
        payment = change.payment;
    }
    assert_eq!(payment.refunded_amount(), 500);
    let by_callbacks = serde_json::to_string(&payment).unwrap().len();
    // An answer that says the same of all adds nothing to each.
    for tens in 10..60_u64 {
        let answer = edited("status_many_operations", |body| {
            body["payment"]["sum"]["amount"] = json!(500);
            let all = body["operations"].as_array_mut().unwrap();
            all.truncate(2);
            let form = all.pop().unwrap();
            all.extend((0..10).map(|unit| {
                let number = 10 * tens + unit;
                let mut operation = form.clone();
                operation["id"] = json!(37_493_000_000_000_u64 + number);
                operation["request_id"] = json!(format!("{long}-{number}"));
                operation["sum_initial"]["amount"] = json!(1);
                operation
            }));
        });
        let mut story = Story::created();
        story.payment = payment;
        payment = story.poll_now(NOW, &answer).payment.clone();
    }
    let item = serde_json::to_string(&payment).unwrap().len();
    println!("item {by_callbacks} bytes, {item} after the answers, event {largest}");
    assert!(
        item < 380_000 && largest < 256 * 1_024,
        "{by_callbacks}, {item}, {largest}"
    );
}
