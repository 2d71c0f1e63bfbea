//! Tests the events about a refund.

use payments::model::{QuarantineReason, Status};
use serde_json::json;

use crate::fixtures::*;

#[test]
fn the_event_of_a_refund_that_is_reported_before_its_sale_follows_the_event_of_the_sale() {
    let mut payment = TestPayment::with_callbacks(&["refund_partial_1"]);
    assert_eq!(payment.kinds(), ["payment.created"]);
    assert_eq!(payment.refunded_amount(), 250);
    assert_eq!(poll_at(&payment), Some(payment.now));
    payment.callback("sale_success");
    let kinds = ["payment.succeeded", "refund.succeeded"];
    assert_eq!(payment.kinds()[1..], kinds);
    assert_eq!(payment.status(), Status::PartiallyRefunded);
    assert_eq!(payment.refundable_amount(), 750);
}

#[test]
fn a_refund_of_a_sale_that_an_answer_declines_later_causes_an_overrefunded_event() {
    let mut payment = TestPayment::paid();
    payment.refund_succeeds("r-1", "7", 400);
    let declined = edited("status_confirm_decline", |body| {
        body["operations"].as_array_mut().unwrap().truncate(1);
        body["operations"][0]["status"] = "decline".into();
    });
    payment.poll_now(NOW, &declined);
    assert_eq!(payment.status(), Status::Declined);
    assert_eq!(payment.refund_sums(), (400, 0, 0));
    let kinds = ["payment.declined", "payment.overrefunded"];
    assert_eq!(payment.kinds()[4..], kinds);
    payment.poll_now(NOW, &declined);
    assert_eq!(payment.last_kind(), "payment.overrefunded");
    assert_eq!(payment.kinds().len(), 6);
}

#[test]
fn a_refund_without_a_sum_in_euros_causes_a_quarantine_and_counts_with_the_requested_amount() {
    for (sum, reason) in [
        (json!(null), QuarantineReason::AmountMissing),
        (
            json!({ "amount": 1, "currency": "USD" }),
            QuarantineReason::CurrencyDiffers,
        ),
    ] {
        let mut payment = TestPayment::paid();
        payment.reserve("r-1", Some(400)).unwrap();
        payment.refund_answer("r-1", &accepted("request-1"));
        let fields = json!({ "request_id": "request-1", "sum_initial": sum });
        payment.deliver(&refund_operation("7", "success", fields));
        assert_eq!(payment.quarantine_reasons(), [reason].into());
        assert_eq!(payment.refund_sums(), (400, 0, 600));
        assert!(poll_at(&payment).is_some());
    }
}

#[test]
fn a_success_after_a_decline_corrects_the_decline() {
    let mut payment = TestPayment::paid();
    payment.reserve("r-1", Some(250)).unwrap();
    payment.refund_answer("r-1", &accepted("q1"));
    for (operation_id, status) in [("7", "decline"), ("8", "processing"), ("8", "success")] {
        let ours = json!({ "merchant_refund_id": "r-1" });
        payment.deliver(&refund_operation(operation_id, status, ours));
    }
    let events = [
        "r-1 pending",
        "r-1 declined",
        "r-1 pending",
        "r-1 succeeded corrects refund.declined",
    ];
    assert_eq!(payment.refund_events(), events);
}

#[test]
fn a_changed_sum_of_a_refund_causes_another_event_and_a_recheck() {
    let mut payment = TestPayment::paid();
    let sum = json!({ "sum_initial": reports::euros(400) });
    payment.deliver(&refund_operation("7", "success", sum));
    assert_eq!(payment.status(), Status::PartiallyRefunded);
    let date = "2030-01-01T00:00:00+0000";
    let more = json!({ "sum_initial": reports::euros(1000), "date": date });
    payment.deliver(&refund_operation("7", "success", more));
    assert_eq!(payment.status(), Status::Refunded);
    assert_eq!(payment.refund_events(), ["7 succeeded", "7 succeeded"]);
    assert!(payment.needs_recheck());
}

#[test]
fn a_refund_whose_request_was_abandoned_is_unknown_and_stays_reserved() {
    let mut payment = TestPayment::paid();
    payment.reserve("r-1", Some(250)).unwrap();
    assert_eq!(payment.poll_unanswered(), NOW.after(MINUTE));
    assert_eq!(payment.refund_events(), ["r-1 pending", "r-1 unknown"]);
    assert_eq!(payment.refundable_amount(), 750);
}

#[test]
fn an_answer_that_declines_a_succeeded_refund_corrects_its_success() {
    let mut payment = TestPayment::paid();
    payment.refund_succeeds("r-1", "37493000003451", 250);
    let declined = edited("status_many_operations", |body| {
        body["operations"][1]["status"] = "decline".into();
        body["operations"].as_array_mut().unwrap().truncate(2);
        body["payment"]["status"] = "success".into();
        body["payment"]["sum"]["amount"] = 1000.into();
    });
    payment.poll_now(NOW, &declined);
    assert_eq!(payment.last_kind(), "refund.declined");
    assert_eq!(payment.last_data()["corrects"], "refund.succeeded");
}

#[test]
fn a_reversal_counts_as_a_refund() {
    for (file, sums, status) in [
        ("reversal_success", (1000, 0, 0), Status::Refunded),
        ("reversal_partial", (250, 0, 750), Status::PartiallyRefunded),
    ] {
        let payment = TestPayment::with_callbacks(&["sale_success", file, file]);
        assert_eq!(payment.refund_sums(), sums, "{file}");
        assert_eq!(payment.paid_amount(), 1000, "{file}");
        assert_eq!(payment.status(), status, "{file}");
        assert_eq!(payment.last_kind(), "refund.succeeded", "{file}");
    }
}
