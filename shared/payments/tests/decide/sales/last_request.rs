//! Tests that `payment.status` does not hide a successful sale if it is about another request, such as a refund.

use payments::decide::decide;
use payments::model::{RefundStatus, Status};
use serde_json::{Value, json};

use crate::builders::reports::{self, TestReport, euros};
use crate::fixtures::*;

/// Returns the date that is this many seconds after 09:40.
fn date(second: u32) -> String {
    format!("2019-07-02T09:40:{second:02}+0000")
}

fn operation(id: &str, kind: &str, status: &str, second: u32) -> Value {
    let amount = if kind == "refund" { 400 } else { 1000 };
    json!({
        "id": id, "type": kind, "status": status, "date": date(second), "sum_initial": euros(amount),
        "request_id": format!("q-{id}"),
    })
}

fn sale() -> Value {
    operation("1", "sale", "success", 0)
}

fn callback(status: &str, operation: Value) -> TestReport {
    let mut body = reports::callback(PAYMENT, status, 1000, operation);
    body["payment"]["date"] = json!(date(0));
    TestReport::read(&body)
}

fn answer(status: &str, operations: &[Value]) -> TestReport {
    let mut body = reports::status_answer(PAYMENT, status, 1000, operations);
    body["payment"]["date"] = json!(date(9));
    body["errors"] = json!([{ "code": "3283", "message": "no" }]);
    TestReport::read(&body)
}

fn poll(payment: &mut TestPayment, answer: &TestReport) {
    payment.claim_or_poll_now(NOW);
    let poll = payment.polling().polls_sent();
    payment.fact(answer.answer_to(poll), NOW);
}

/// Returns a paid payment with a refund of 4.00 EUR that Gate accepted.
fn paid() -> TestPayment {
    let mut payment = TestPayment::created();
    payment.sale_answer(&accepted("q-1"));
    payment.fact(callback("success", sale()).callback(), NOW);
    payment.reserve("r-1", Some(400)).unwrap();
    payment.refund_answer("r-1", &accepted("q-2"));
    payment
}

#[test]
fn the_status_error_does_not_hide_a_successful_sale() {
    let declined = operation("2", "refund", "decline", 9);
    for operations in [vec![sale(), declined], vec![sale()]] {
        let mut payment = paid();
        poll(&mut payment, &answer("error", &operations));
        assert_eq!(payment.status(), Status::Succeeded);
        assert_eq!(payment.paid_amount(), 1000);
        assert!(!payment.kinds().contains(&"payment.failed"));
        let is_listed = operations.len() > 1;
        let is_declined = payment.refund(&id("r-1")).unwrap().status() == RefundStatus::Declined;
        assert_eq!(is_declined, is_listed);
        assert_eq!(payment.reserve("r-2", Some(100)), Ok(true));
    }
    let mut payment = paid();
    payment.fact(callback("error", sale()).callback(), NOW);
    assert_eq!(payment.status(), Status::Succeeded);
}

/// The status `error` is no evidence that the money counts.
#[test]
fn a_sale_whose_only_status_is_error_is_held_and_polled() {
    let mut payment = TestPayment::accepted();
    payment.fact(callback("error", sale()).callback(), NOW);
    assert_eq!(payment.status(), Status::Processing);
    assert_eq!(payment.paid_amount(), 0);
    assert_eq!(poll_at(&payment), Some(payment.now));
}

#[test]
fn an_error_in_an_answer_is_not_the_error_of_a_successful_sale() {
    let mut payment = TestPayment::created();
    payment.sale_answer(&accepted("q-1"));
    poll(&mut payment, &answer("error", &[sale()]));
    assert_eq!(payment.refusal_code(), None);
    let failed = operation("1", "sale", "decline", 0);
    poll(&mut payment, &answer("error", &[failed]));
    assert_eq!(payment.refusal_code(), Some("3283"));
}

#[test]
fn a_status_about_a_refund_does_not_hide_a_successful_sale() {
    let waiting = [
        "processing",
        "external processing",
        "awaiting clarification",
        "awaiting finalization",
        "internal error",
        "external error",
    ];
    for status in waiting {
        for of_refund in ["processing", "decline", "success"] {
            let refund = operation("2", "refund", of_refund, 9);
            let mut payment = paid();
            poll(&mut payment, &answer(status, &[sale(), refund]));
            assert_eq!(payment.paid_amount(), 1000, "{status} {of_refund}");
            assert!(payment.status().is_paid(), "{status} {of_refund}");
        }
        // Without a refund, or with a refund that is older than the sale, the status is about the sale.
        let older = operation("2", "refund", "decline", 0);
        let newer = operation("1", "sale", "success", 5);
        let mut payment = paid();
        poll(&mut payment, &answer(status, &[newer, older]));
        let is_paid = status == "processing";
        assert_eq!(payment.status().is_paid(), is_paid, "{status}");
    }
}

/// A refund or an error must not hide that the platform has not confirmed the money.
#[test]
fn a_signed_answer_with_an_open_confirmation_holds_the_sale_beside_a_refund() {
    for status in ["error", "processing", "external processing"] {
        for outcome in ["processing", "decline"] {
            let confirmation = operation("3", "payment confirmation", outcome, 8);
            let refund = operation("2", "refund", "processing", 9);
            let mut payment = paid();
            poll(
                &mut payment,
                &answer(status, &[sale(), confirmation, refund]),
            );
            let held = Status::AwaitingConfirmation;
            assert_eq!(payment.status(), held, "{status} {outcome}");
            assert_eq!(payment.paid_amount(), 0, "{status} {outcome}");
        }
    }
}

/// While a refund is pending, `payment.status` can be `processing` and `payment.sum` the remaining amount.
#[test]
fn a_sale_callback_beside_a_pending_refund_does_not_change_the_paid_amount() {
    for status in [
        "processing",
        "external processing",
        "awaiting clarification",
    ] {
        let mut repeated =
            reports::callback(PAYMENT, status, 600, operation("1", "sale", "success", 0));
        repeated["payment"]["date"] = json!(date(5));
        let repeated = TestReport::read(&repeated);
        let mut remainder = reports::status_answer(
            PAYMENT,
            "partially refunded",
            600,
            &[sale(), operation("2", "refund", "success", 9)],
        );
        remainder["payment"]["date"] = json!(date(9));
        let remainder = TestReport::read(&remainder);

        let mut payment = paid();
        payment.fact(repeated.callback(), NOW);
        assert!(payment.quarantine().is_empty(), "{status}");
        poll(&mut payment, &remainder);
        assert_eq!(payment.paid_amount(), 1000, "{status}");
        assert_eq!(payment.refund_sums(), (400, 0, 600), "{status}");
        assert_eq!(payment.status(), Status::PartiallyRefunded, "{status}");

        // Without an order, the sum cannot be compared with the order.
        let sale = callback("success", sale());
        let mut external = TestPayment::from(decide(None, sale.callback(), NOW).unwrap());
        external.fact(repeated.callback(), NOW);
        poll(&mut external, &remainder);
        assert_eq!(external.paid_amount(), 1000, "{status}");
    }
}
