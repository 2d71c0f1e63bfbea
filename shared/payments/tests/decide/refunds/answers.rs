//! What is told of a refund, and when.

use std::time::Duration;

use payments::model::{QuarantineReason, Status};
use serde_json::json;

use super::told;
use crate::story::*;

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
fn a_refund_that_does_not_say_how_much_is_held_for_looking_at() {
    let mut story = Story::begin();
    story.hear("sale_success");
    story.refund(&refund("r-1", Some(400))).unwrap();
    story.refund_answered("r-1", &accepted("request-1"));
    let silent = |reason, amount| {
        let told = edited("refund_partial_1", |body| {
            let operation = body["operation"].as_object_mut().unwrap();
            operation.insert("request_id".into(), json!("request-1"));
            match amount {
                None => operation.remove("sum_initial"),
                Some(sum) => operation.insert("sum_initial".into(), sum),
            };
        });
        let mut story = Story {
            payment: story.payment.clone(),
            events: Vec::new(),
        };
        story.hear_this(&told);
        let payment = &story.payment;
        assert_eq!(payment.quarantine(), [reason].into());
        assert_eq!(payment.refunded_amount(), 400, "what was asked for");
        assert_eq!(payment.refundable_amount(), 600);
        assert!(ask_at(payment).is_some());
    };
    silent(QuarantineReason::AmountMissing, None);
    let dollars = json!({ "amount": 1, "currency": "USD" });
    silent(QuarantineReason::CurrencyDiffers, Some(dollars));
}

#[test]
fn a_success_after_a_decline_corrects_it_however_it_came_about() {
    let ours = || json!({ "merchant_refund_id": "r-1" });
    let mut story = Story::begin();
    story.hear("sale_success");
    story.refund(&refund("r-1", Some(250))).unwrap();
    story.refund_answered("r-1", &accepted("q1"));
    for (id, status) in [("7", "decline"), ("8", "processing"), ("8", "success")] {
        story.hear_this(&refund_operation(id, status, ours()));
    }
    let expected = [
        "r-1 pending",
        "r-1 declined",
        "r-1 pending",
        "r-1 succeeded after all",
    ];
    assert_eq!(told(&story), expected);
}

#[test]
fn what_a_refund_gave_back_is_told_again_when_it_is_another_sum() {
    let sum = |amount: u64| json!({ "sum_initial": { "amount": amount, "currency": "EUR" } });
    let mut story = Story::begin();
    story.hear("sale_success");
    story.hear_this(&refund_operation("7", "success", sum(400)));
    assert_eq!(story.payment.status(), Status::PartiallyRefunded);
    let mut more = sum(1000);
    more["date"] = json!("2030-01-01T00:00:00+0000");
    story.hear_this(&refund_operation("7", "success", more));
    assert_eq!(story.payment.status(), Status::Refunded);
    assert_eq!(told(&story), ["7 succeeded", "7 succeeded"]);
    assert!(story.is_doubtful(), "and the platform is asked");
}

#[test]
fn a_refund_that_nobody_sends_any_more_is_unknown() {
    let mut story = Story::begin();
    story.hear("sale_success");
    story.refund(&refund("r-1", Some(250))).unwrap();
    let due = ask_at(&story.payment).unwrap();
    assert_eq!(due, NOW.after(Duration::from_secs(60)));
    story.take(claim_check(&story.payment, after(due), due));
    assert_eq!(told(&story), ["r-1 pending", "r-1 unknown"]);
    assert_eq!(story.payment.refundable_amount(), 750, "still reserved");
}
