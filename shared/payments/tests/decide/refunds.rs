//! Money on its way back.

use ecommpay::answer::Answer;
use payments::decide::{Fact, News, RefundOrder, RefundRejection, decide, reserve_refund};
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
    assert!(
        story.payment.check_at.is_some(),
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

#[test]
fn more_back_than_paid_is_told_and_not_hidden() {
    let mut story = Story::begin();
    story.hear("sale_success").hear("refund_success");
    assert_eq!(story.payment.status(), Status::Refunded);
    story
        .hear("refund_partial_2_rest")
        .hear("refund_partial_2_rest");
    assert_eq!(
        (
            story.payment.refunded_amount(),
            story.payment.refundable_amount()
        ),
        (1750, 0)
    );
    assert_eq!(
        story.kinds()[1..],
        [
            "payment.succeeded",
            "refund.succeeded",
            "refund.succeeded",
            "payment.overrefunded"
        ]
    );
}

#[test]
fn what_a_signed_answer_says_is_the_end() {
    let asked = |story: &mut Story, file: &str| {
        let verified = corpus(file);
        let news = News {
            report: &verified.report,
            canonical: &verified.canonical,
        };
        let change = decide(Some(&story.payment), Fact::StatusAnswer(news), NOW);
        story.take(change);
    };
    let mut story = Story::begin();
    story.hear("sale_success").hear("sale_decline_customer");
    assert!(story.payment.doubtful, "a contradiction is asked about");
    asked(&mut story, "sale_success");
    assert!(!story.payment.doubtful);
    assert_eq!(story.payment.check_at, None, "nothing is open");
    story.hear("sale_decline_limit");
    assert!(!story.payment.doubtful, "the answer stands");
    assert_eq!(story.payment.status(), Status::Succeeded);

    let mut story = Story::begin();
    story.hear("sale_success").hear("sale_decline_customer");
    asked(&mut story, "sale_decline_customer");
    assert_eq!(story.payment.status(), Status::Declined);
    assert_eq!(
        story.kinds(),
        ["payment.created", "payment.succeeded", "payment.declined"]
    );

    // An answer that is not what was ordered settles nothing in the shopper's favour.
    let mut story = Story::begin();
    story.hear("sale_success").hear("sale_decline_customer");
    asked(&mut story, "amount_differs");
    assert_eq!(story.payment.status(), Status::Quarantined);

    // Money that comes after the platform has denied it is asked about.
    let mut story = Story::begin();
    asked(&mut story, "sale_decline_customer");
    assert!(!story.payment.doubtful);
    story.hear("sale_success");
    assert!(story.payment.doubtful);
    assert_eq!(story.payment.check_at, Some(NOW));

    // Two sales: the answer may say that one of them was none.
    let mut story = Story::begin();
    story.hear("sale_success").hear("success_after_decline");
    assert_eq!(story.payment.status(), Status::Quarantined);
    assert!(story.payment.doubtful);
    asked(&mut story, "sale_decline_customer");
    assert_eq!(story.payment.status(), Status::Succeeded);
}

#[test]
fn an_operator_releases_what_is_known_and_nothing_that_comes_later() {
    let mut story = Story::begin();
    story.hear("amount_differs");
    let change = decide(Some(&story.payment), Fact::Release, NOW);
    story.take(change);
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert_eq!(decide(Some(&story.payment), Fact::Release, NOW), None);
    story.hear("currency_differs");
    assert_eq!(story.payment.status(), Status::Quarantined);
}
