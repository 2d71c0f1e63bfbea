//! Money on its way back.

use ecommpay::answer::Answer;
use payments::decide::{RefundOrder, RefundRejection, decide, reserve_refund};
use payments::payment::{Payment, Private, RefundStatus, Status};

use super::story::*;

#[test]
fn a_refund_is_announced_after_its_sale() {
    let mut story = Story::begin();
    story.hear("refund_partial_1");
    assert_eq!(story.kinds(), ["payment.created"]);
    story.hear("sale_success");
    assert_eq!(
        story.kinds(),
        ["payment.created", "payment.succeeded", "refund.succeeded"]
    );
    assert_eq!(story.payment.status(), Status::PartiallyRefunded);
    assert_eq!(story.payment.refundable_amount(), 750);
}

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
fn a_refund_is_recognised_by_its_request() {
    let mut story = Story::begin();
    story.hear("sale_success");
    story.refund(&refund("r-1", Some(250))).unwrap();
    // The callback is faster than the answer that names the request.
    story.hear("refund_partial_1");
    assert_eq!(
        story.payment.refunds.len(),
        2,
        "not ours as far as we can know"
    );
    story.refund_answered(
        "r-1",
        &accepted("9d11b2ca618ec3ba0f588af8af3c4fc9f5fa58f174"),
    );
    assert_eq!(story.payment.refunds.len(), 1);
    assert_eq!(
        story.payment.refund(&id("r-1")).unwrap().status,
        RefundStatus::Succeeded
    );
    assert_eq!(
        (
            story.payment.refunded_amount(),
            story.payment.pending_refund_amount()
        ),
        (250, 0)
    );
}
