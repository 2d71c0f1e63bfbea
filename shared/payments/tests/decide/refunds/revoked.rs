//! Tests external refunds that later reports revoke: the operation has another type in a signed answer.

use payments::decide::Command;
use payments::model::{Payment, Status};
use payments::service::callback::Verified;
use serde_json::json;

use super::returns::refund_of_dashboard;
use super::{answer_listing, operation_of_r_1};
use crate::fixtures::*;

/// A signed answer that says that the operation 7 is a declined `manual change`.
fn no_refund() -> Verified {
    let other = json!({ "id": "7", "type": "manual change", "status": "decline" });
    answer_listing("success", 1000, &[other])
}

#[test]
fn a_refund_whose_operation_turns_out_to_be_no_refund_is_corrected_by_an_event() {
    let mut payment = TestPayment::paid();
    payment.deliver(&refund_of_dashboard("7", 1000));
    assert_eq!(payment.status(), Status::Refunded);
    payment.poll_now(NOW, &no_refund());
    assert_eq!(payment.status(), Status::Succeeded);
    let expected = ["7 succeeded", "7 declined corrects refund.succeeded"];
    assert_eq!(payment.refund_events(), expected);
    let data = payment.last_data();
    assert_eq!(
        (&data["status"], &data["refunded_amount"]),
        (&json!("succeeded"), &json!(0))
    );
    let count = payment.events.len();
    payment.poll_now(NOW.after(HOUR), &no_refund());
    assert_eq!(payment.events.len(), count);
}

#[test]
fn a_pending_refund_whose_operation_turns_out_to_be_no_refund_is_declined_by_an_event() {
    let mut payment = TestPayment::paid();
    payment.deliver(&refund_operation("7", "processing", json!({})));
    assert_eq!(payment.refund_sums(), (0, 250, 750));
    payment.poll_now(NOW, &no_refund());
    assert_eq!(payment.refund_sums(), (0, 0, 1000));
    assert_eq!(payment.refund_events(), ["7 pending", "7 declined"]);
    assert_eq!(payment.last_data()["pending_refund_amount"], 0);
}

#[test]
fn a_further_success_that_an_answer_declines_is_corrected_by_an_event() {
    let mut payment = TestPayment::paid();
    payment.refund_succeeds("r-1", "7", 300);
    let names = json!({ "merchant_refund_id": "r-1", "sum_initial": reports::euros(300) });
    payment.deliver(&refund_operation("8", "success", names));
    assert_eq!(payment.refund_sums(), (600, 0, 400));
    let operations = [("7", "success"), ("8", "decline")]
        .map(|(id, status)| operation_of_r_1(id, "refund", status, 300));
    let answer = answer_listing("partially refunded", 700, &operations);
    payment.poll_by(NOW, &answer);
    assert_eq!(payment.refund_sums(), (300, 0, 700));
    let events = payment.refund_events();
    assert_eq!(
        events[2..],
        ["8 succeeded", "8 declined corrects refund.succeeded"]
    );
    assert_eq!(payment.last_data()["refunded_amount"], 300);
}

/// A document of an earlier release lacks what the last event said, or has what an older event said.
#[test]
fn a_payment_whose_last_event_an_earlier_release_emitted_has_no_event_without_a_change() {
    let mut payment = TestPayment::paid();
    payment.deliver(&refund_of_dashboard("7", 400));
    let mut document = json!(*payment);
    let shown = document["emitted"]["shown"].take();
    assert_eq!(shown["refunded_amount"], 400);
    let mut older = shown;
    older["refunded_amount"] = 0.into();
    older["sequence"] = 1.into();
    for shown in [json!(null), older] {
        document["emitted"]["shown"] = shown;
        let stored: Payment = serde_json::from_value(document.clone()).unwrap();
        assert_eq!(change_of(Some(&stored), Command::EmitPending, NOW), None);
    }
}

#[test]
fn sums_that_differ_from_the_last_event_without_another_reason_have_an_event_about_the_newest_refund()
 {
    let mut payment = TestPayment::paid();
    payment.deliver(&refund_of_dashboard("7", 400));
    let mut document = json!(*payment);
    document["emitted"]["shown"]["refunded_amount"] = 0.into();
    let stored: Payment = serde_json::from_value(document).unwrap();
    let change = change_of(Some(&stored), Command::EmitPending, NOW).unwrap();
    let mut emitted = TestPayment::from(change);
    assert_eq!(emitted.refund_events(), ["7 succeeded"]);
    assert_eq!(emitted.last_data()["refunded_amount"], 400);
    emitted.execute(Command::EmitPending, NOW);
    assert_eq!(emitted.events.len(), 1);
}
