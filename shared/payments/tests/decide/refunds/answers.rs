//! Which events a refund emits, and when.

use std::time::Duration;

use payments::model::{QuarantineReason, Status};
use serde_json::json;

use super::emitted;
use crate::story::*;

#[test]
fn a_refund_is_emitted_after_its_sale() {
    let mut story = Story::created();
    story.callback("refund_partial_1");
    assert_eq!(story.kinds(), ["payment.created"]);
    story.callback("sale_success");
    assert_eq!(
        story.kinds(),
        ["payment.created", "payment.succeeded", "refund.succeeded"]
    );
    assert_eq!(story.payment.status(), Status::PartiallyRefunded);
    assert_eq!(story.payment.refundable_amount(), 750);
}

#[test]
fn more_refunded_than_paid_is_kept_and_emitted() {
    let mut story = Story::created();
    story.callback("sale_success").callback("refund_success");
    assert_eq!(story.payment.status(), Status::Refunded);
    story
        .callback("refund_partial_2_rest")
        .callback("refund_partial_2_rest");
    assert_eq!(story.refund_sums(), (1750, 0, 0));
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
fn a_refund_without_a_sum_in_the_currency_is_quarantined_with_the_sum_requested() {
    let mut story = Story::created();
    story.callback("sale_success");
    story.refund(&refund("r-1", Some(400))).unwrap();
    story.refund_answer("r-1", &accepted("request-1"));
    let check = |reason, amount| {
        let callback = edited("refund_partial_1", |body| {
            let operation = body["operation"].as_object_mut().unwrap();
            operation.insert("request_id".into(), json!("request-1"));
            match amount {
                None => operation.remove("sum_initial"),
                Some(sum) => operation.insert("sum_initial".into(), sum),
            };
        });
        let mut story = story.branch();
        story.deliver(&callback);
        let payment = &story.payment;
        assert_eq!(payment.quarantine_reasons(), [reason].into());
        assert_eq!(payment.refunded_amount(), 400, "as requested");
        assert_eq!(payment.refundable_amount(), 600);
        assert!(poll_at(payment).is_some());
    };
    check(QuarantineReason::AmountMissing, None);
    let dollars = json!({ "amount": 1, "currency": "USD" });
    check(QuarantineReason::CurrencyDiffers, Some(dollars));
}

#[test]
fn a_success_after_a_decline_corrects_the_decline() {
    let ours = || json!({ "merchant_refund_id": "r-1" });
    let mut story = Story::created();
    story.callback("sale_success");
    story.refund(&refund("r-1", Some(250))).unwrap();
    story.refund_answer("r-1", &accepted("q1"));
    for (id, status) in [("7", "decline"), ("8", "processing"), ("8", "success")] {
        story.deliver(&refund_operation(id, status, ours()));
    }
    let expected = [
        "r-1 pending",
        "r-1 declined",
        "r-1 pending",
        "r-1 succeeded corrects refund.declined",
    ];
    assert_eq!(emitted(&story), expected);
}

#[test]
fn a_refund_is_emitted_again_when_its_sum_changes() {
    let sum = |amount: u64| json!({ "sum_initial": { "amount": amount, "currency": "EUR" } });
    let mut story = Story::created();
    story.callback("sale_success");
    story.deliver(&refund_operation("7", "success", sum(400)));
    assert_eq!(story.payment.status(), Status::PartiallyRefunded);
    let mut more = sum(1000);
    more["date"] = json!("2030-01-01T00:00:00+0000");
    story.deliver(&refund_operation("7", "success", more));
    assert_eq!(story.payment.status(), Status::Refunded);
    assert_eq!(emitted(&story), ["7 succeeded", "7 succeeded"]);
    assert!(story.needs_recheck(), "and the platform is polled");
}

#[test]
fn a_refund_whose_request_was_abandoned_is_unknown() {
    let mut story = Story::created();
    story.callback("sale_success");
    story.refund(&refund("r-1", Some(250))).unwrap();
    let due = poll_at(&story.payment).unwrap();
    assert_eq!(due, NOW.after(Duration::from_secs(60)));
    story.take(claim_poll(&story.payment, after(due), due));
    assert_eq!(emitted(&story), ["r-1 pending", "r-1 unknown"]);
    assert_eq!(story.payment.refundable_amount(), 750, "still reserved");
}
