//! What may be refunded, and what is held for it.

use ecommpay::answer::Answer;
use payments::decide::{Fact, RefundOrder, RefundRejection, decide, reserve_refund};
use payments::model::{Payment, Private, RefundStatus};
use serde_json::json;

use crate::story::*;

#[test]
fn money_of_a_payment_nobody_created_is_told_when_it_comes() {
    let hear =
        |payment: Option<&Payment>, file: &str| decide(payment, corpus(file).fact(), NOW).unwrap();
    let first = hear(None, "processing");
    let paid = hear(Some(&first.payment), "sale_success");
    assert_eq!(paid.events.len(), 1);
    assert!(paid.events[0].body.contains("\"paid_amount\":1000"));
    let refund = RefundOrder {
        ip_address: Some(Private(text("192.0.2.1"))),
        ..refund("r-1", None)
    };
    assert!(
        reserve_refund(&paid.payment, &refund, NOW)
            .unwrap()
            .is_some()
    );
    let nowhere = RefundOrder {
        ip_address: None,
        ..refund
    };
    assert_eq!(
        reserve_refund(&paid.payment, &nowhere, NOW),
        Err(RefundRejection::NoAddress)
    );
}

#[test]
fn refunds_never_exceed_what_is_left() {
    let mut story = Story::begin();
    assert_eq!(
        story.refund(&refund("r-0", None)),
        Err(RefundRejection::NotRefundable)
    );
    story.hear("sale_success");
    assert_eq!(story.refund(&refund("r-1", Some(400))), Ok(true));
    assert_eq!(
        story.refund(&refund("R-1", Some(400))),
        Ok(false),
        "the same again"
    );
    assert_eq!(
        story.refund(&refund("r-1", Some(500))),
        Err(RefundRejection::OtherContent)
    );
    assert_eq!(
        story.refund(&refund("r-2", Some(601))),
        Err(RefundRejection::MoreThanLeft(600))
    );
    assert_eq!(story.refund(&refund("r-2", None)), Ok(true));
    assert_eq!(story.payment.refund(&id("r-2")).unwrap().amount, 600);
    assert!(
        ask_at(&story.payment).is_some(),
        "a crash before the answer leaves nothing unasked"
    );
    assert_eq!(
        story.refund(&refund("r-3", Some(1))),
        Err(RefundRejection::MoreThanLeft(0))
    );

    story.refund_answered("r-2", &refused("3060"));
    assert_eq!(story.payment.refundable_amount(), 600, "given back");
    story.refund_answered("r-1", &Answer::Unclear);
    assert_eq!(
        story.payment.refund(&id("r-1")).unwrap().status,
        RefundStatus::Unknown
    );
    assert_eq!(story.payment.refundable_amount(), 600, "still held");
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
    let mut payment = Story::begin().hear("sale_success").payment.clone();
    // As long as the platform's names are, and as a storefront's would be.
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
        payment = reserve_refund(&payment, &order, NOW)
            .unwrap()
            .unwrap()
            .payment;
        let fact = Fact::RefundAnswer {
            refund_id: &id(&refund_id),
            answer: &accepted(&request_id),
        };
        payment = decide(Some(&payment), fact, NOW).unwrap().payment;
        let told = edited("refund_partial_1", |body| {
            body["operation"]["id"] = json!(37_493_000_000_000_u64 + number);
            body["operation"]["request_id"] = json!(request_id);
            body["operation"]["sum_initial"]["amount"] = json!(1);
            body["payment"]["merchant_refund_id"] = json!(refund_id);
        });
        let change = decide(Some(&payment), told.fact(), NOW).unwrap();
        largest = change
            .events
            .iter()
            .map(|event| event.body.len())
            .max()
            .unwrap();
        payment = change.payment;
    }
    assert_eq!(payment.refunded_amount(), 500);
    let item = serde_json::to_string(&payment).unwrap().len();
    println!("item {item} bytes, event {largest}");
    assert!(item < 320_000 && largest < 256 * 1_024, "{item}, {largest}");
}
