//! Tests that a signed answer ends the hold of a sale by an intermediate `payment.status` of a callback.

use payments::Timestamp;
use payments::model::Status;
use serde_json::{Value, json};

use crate::builders::reports::{self, TestReport};
use crate::fixtures::*;

fn at(minute: u32) -> Timestamp {
    NOW.after(MINUTE * minute)
}

fn operation(id: &str, kind: &str, status: &str, minute: u32) -> Value {
    let amount = if kind == "refund" { 300 } else { 1000 };
    let mut operation = reports::operation(id, kind, status, amount);
    operation["date"] = json!(at(minute).to_platform());
    operation
}

fn sale(minute: u32) -> Value {
    operation("1", "sale", "success", minute)
}

/// A report that arrives at a minute.
struct Arrival {
    report: TestReport,
    is_answer: bool,
    minute: u32,
}

fn callback(status: &str, operation: Value, minute: u32) -> Arrival {
    let body = reports::callback(PAYMENT, status, 1000, operation);
    Arrival {
        report: TestReport::read(&body),
        is_answer: false,
        minute,
    }
}

fn answer(status: &str, operations: &[Value], minute: u32) -> Arrival {
    let body = reports::status_answer(PAYMENT, status, 1000, operations);
    Arrival {
        report: TestReport::read(&body),
        is_answer: true,
        minute,
    }
}

fn apply(payment: &mut TestPayment, arrival: &Arrival) {
    let time = at(arrival.minute);
    match arrival.is_answer {
        true => {
            payment.claim_or_poll_now(time);
            let poll = payment.polling().polls_sent();
            payment.fact(arrival.report.answer_to(poll), time)
        }
        false => payment.fact(arrival.report.callback(), time),
    };
}

/// Applies the reports in every order, checks that the outcome is always the same, and returns the payment in which
/// the reports arrived in the given order.
fn after(arrivals: &[Arrival]) -> TestPayment {
    let arrivals = Vec::from_iter(arrivals);
    let mut payments = permutations(&arrivals).into_iter().map(|order| {
        let mut payment = TestPayment::accepted();
        for arrival in order {
            apply(&mut payment, arrival);
        }
        payment
    });
    let first = payments.next().unwrap();
    for payment in payments {
        assert_eq!(payment.outcome(), first.outcome());
    }
    first
}

#[test]
fn a_sale_counts_again_when_a_signed_answer_arrives_15_minutes_after_an_intermediate_status() {
    for (minute, expected) in [(20, Status::Processing), (21, Status::Succeeded)] {
        let payment = after(&[
            callback("success", sale(1), 1),
            callback("external processing", sale(5), 5),
            answer("success", &[sale(1)], minute),
        ]);
        assert_eq!(payment.status(), expected, "{minute}");
    }
}

#[test]
fn a_sale_counts_although_the_first_callback_has_a_date_14_minutes_after_its_arrival() {
    let payment = after(&[
        callback("processing", sale(14), 0),
        callback("success", sale(2), 2),
        answer("success", &[sale(2)], 60),
    ]);
    assert_eq!(payment.status(), Status::Succeeded);
}

#[test]
fn a_confirmed_sale_counts_although_a_callback_about_the_confirmation_has_a_later_date() {
    let confirmation = |status, minute| operation("2", "payment confirmation", status, minute);
    let payment = after(&[
        callback("awaiting confirmation", sale(1), 2),
        callback("awaiting confirmation", confirmation("processing", 14), 3),
        answer("success", &[sale(1), confirmation("success", 5)], 60),
    ]);
    assert_eq!(payment.status(), Status::Succeeded);
}

/// The status in the answer counts, also if it is no success.
#[test]
fn a_decline_in_a_signed_answer_counts_although_an_intermediate_status_has_a_later_date() {
    let payment = after(&[
        callback("success", sale(1), 1),
        callback("external processing", sale(5), 5),
        answer("decline", &[sale(1)], 60),
    ]);
    assert_eq!(payment.status(), Status::Quarantined);
}

/// A signed answer with an intermediate status ends no hold. A callback that is newer than the answer starts a hold.
#[test]
fn a_sale_is_held_when_no_later_signed_answer_has_a_final_status() {
    for (status, intermediate) in [("external processing", 5), ("success", 50)] {
        let payment = after(&[
            callback("success", sale(1), 1),
            callback("external processing", sale(intermediate), 50),
            answer(status, &[sale(1)], 60),
        ]);
        assert_eq!(payment.status(), Status::Processing, "{status}");
    }
}

#[test]
fn a_refund_from_the_dashboard_has_an_event_after_a_signed_answer_ends_the_hold() {
    let refund = operation("3", "refund", "success", 9);
    let mut payment = TestPayment::accepted();
    for arrival in [
        callback("success", sale(1), 1),
        callback("external processing", sale(5), 5),
        callback("partially refunded", refund.clone(), 9),
        answer("partially refunded", &[sale(1), refund], 30),
    ] {
        apply(&mut payment, &arrival);
    }
    assert_eq!(payment.status(), Status::PartiallyRefunded);
    assert_eq!(payment.refundable_amount(), 700);
    let refunds = payment.kinds().into_iter();
    let refunds = refunds.filter(|kind| *kind == "refund.succeeded");
    assert_eq!(refunds.count(), 1);
}
