//! Tests which operations stay stored if a payment has more operations than it can store. Also tests that refused
//! refunds leave room for further refunds.

use std::time::Instant;

use payments::decide::{Command, Rejection, decide, execute};
use payments::model::{Payment, RefundStatus, Status, Verdict};
use serde_json::{Value, json};

use super::many_operations::*;
use crate::builders::reports::{TestReport, callback, operation, status_answer};
use crate::builders::*;
use crate::fixtures::*;

/// Returns an operation. The greater the number, the newer the operation.
fn other(number: usize, kind: &str, status: &str) -> Value {
    let mut other = operation(&format!("18{number:014}"), kind, status, 1_000);
    other["date"] = json!(date(number));
    other
}

fn success(number: usize) -> TestReport {
    let sale = other(number, "sale", "success");
    TestReport::read(&callback(PAYMENT, "success", 1_000, sale))
}

#[test]
fn a_successful_sale_counts_beside_two_thousand_operations_without_money() {
    for (kind, status) in [
        ("sale", "decline"),
        ("customer action", "success"),
        ("invoice", "success"),
        ("refund", "processing"),
    ] {
        let listed: Vec<Value> = (0..2_000)
            .map(|number| other(number * 2, kind, status))
            .collect();
        let answer = TestReport::read(&status_answer(PAYMENT, "processing", 1_000, &listed));
        // The sale is the newest operation, one of the oldest, or in the middle.
        for number in [9_999, 1, 2_001] {
            let success = success(number);
            let facts = [answer.answer_to(0), success.callback()];
            let (late, _) = apply_all(Some(created(1_000)), &facts);
            assert_eq!(
                (late.status(), late.paid_amount()),
                (Status::Succeeded, 1_000),
                "{kind}"
            );
            assert_eq!(late.operations().len(), 2_000);
            assert!(late.polling().needs_recheck(), "no recheck is due");
            let facts = [success.callback(), answer.answer_to(0)];
            let (early, _) = apply_all(Some(created(1_000)), &facts);
            let ids = |payment: &Payment| -> Vec<String> {
                payment.operations().map(|(id, _)| id.to_owned()).collect()
            };
            assert_eq!(
                (early.status(), ids(&early)),
                (Status::Succeeded, ids(&late)),
                "{kind}"
            );
        }
    }
}

#[test]
fn an_operation_that_was_removed_is_stored_when_it_succeeds() {
    let listed: Vec<Value> = (0..2_010)
        .map(|number| other(number, "sale", "decline"))
        .collect();
    let answer = TestReport::read(&status_answer(PAYMENT, "processing", 1_000, &listed));
    let (payment, _) = apply_all(Some(created(1_000)), &[answer.answer_to(0)]);
    assert!(payment.operation(&format!("18{:014}", 2_009)).is_none());
    let (payment, _) = apply_all(Some(payment), &[success(2_009).callback()]);
    assert_eq!(payment.status(), Status::Succeeded);
}

/// The operation of the refund is removed to make room for a pending sale. After the sale is declined, there is room
/// for the refund again.
#[test]
fn a_refund_that_was_removed_and_is_listed_again_is_emitted_once() {
    let mut listed = vec![sale(100_000)];
    listed.extend((1..2_000).map(|number| refund(number, "success", 10)));
    let answer = status_answer(PAYMENT, "partially refunded", 80_010, &listed);
    let answer = TestReport::read(&answer);
    let (payment, _) = apply_all(Some(created(100_000)), &[answer.answer_to(0)]);
    let other_sale = |status: &str| {
        let sale = other(1, "sale", status);
        TestReport::read(&callback(PAYMENT, "processing", 1_000, sale))
    };
    let (open, declined) = (
        other_sale("awaiting redirect result"),
        other_sale("decline"),
    );
    let (displaced, _) = apply_all(Some(payment), &[open.callback()]);
    let last = refund(1_999, "success", 10);
    let id = last["id"].as_str().unwrap().to_owned();
    assert!(displaced.operation(&id).is_none());
    let (with_room, _) = apply_all(Some(displaced), &[declined.callback()]);
    let again = callback(PAYMENT, "partially refunded", 1, last);
    let again = TestReport::read(&again);
    let (listed, events) = apply_all(Some(with_room), &[again.callback()]);
    assert!(listed.operation(&id).is_some());
    assert_eq!(events, 0, "the refund is emitted a second time");
    assert_eq!(listed.refunded_amount(), 19_990);
}

#[test]
fn an_answer_without_an_id_or_a_sum_of_each_refund_keeps_the_total_of_the_removed_refunds() {
    let mut listed = vec![sale(1_000)];
    listed.extend((1..=2_000).map(|number| refund(number, "success", 0)));
    listed.extend((2_001..=2_100).map(|number| refund(number, "success", 9)));
    let without = |field: &str, count: usize| {
        let mut listed = listed.clone();
        for operation in listed.iter_mut().rev().take(count) {
            operation.as_object_mut().unwrap().remove(field);
        }
        status_answer(PAYMENT, "partially refunded", 100, &listed)
    };
    let complete = TestReport::read(&without("id", 0));
    for (field, count) in [("id", 150), ("sum_initial", 2_100)] {
        let incomplete = TestReport::read(&without(field, count));
        let facts = [complete.answer_to(0), incomplete.answer_to(0)];
        let (payment, _) = apply_all(Some(created(1_000)), &facts);
        assert_eq!(
            (payment.refunded_amount(), payment.refundable_amount()),
            (900, 100),
            "{field}"
        );
    }
}

/// This is the slowest case for the ledger. The test prints the times and does not check them.
#[test]
fn two_thousand_reversals_after_a_declined_confirmation_are_excluded() {
    let mut listed = vec![
        other(1, "sale", "success"),
        other(2, "payment confirmation", "decline"),
    ];
    for number in 3..2_000 {
        let mut reversal = refund(number, "success", 10);
        reversal["type"] = json!(["reversal", "refund reverse"][number % 4 / 3]);
        // Because the sum is in another currency, the ledger must find the requested amount.
        reversal["sum_initial"] = json!({ "amount": 10, "currency": "USD" });
        listed.push(reversal);
    }
    let answer = TestReport::read(&status_answer(PAYMENT, "decline", 1_000, &listed));
    let mut payment = created(1_000);
    for number in 0..3 {
        let start = Instant::now();
        let now = at("2027-02-01T12:00:00");
        if let Some(change) = decide(Some(&payment), answer.answer_to(number), now) {
            payment = change.payment;
        }
        eprintln!("decision {number}: {:?}", start.elapsed());
    }
    let refunded = payment.refunded_amount();
    assert_eq!(refunded, 0);
    assert_eq!(payment.operations().len(), 1_999);
}

/// Requests a refund of 0.10 EUR, and applies Gate's refusal.
fn refuse(payment: &Payment, number: usize) -> Result<Payment, Rejection> {
    let order = refund_order(&format!("r-{number}"), Some(10));
    let change = execute(Some(payment), Command::Refund(&order), NOW)?.unwrap();
    let answer = refused("3281");
    let fact = payments::decide::Fact::RefundAnswer {
        refund_id: &order.refund_id,
        answer: &answer,
    };
    Ok(decide(Some(&change.payment), fact, NOW).unwrap().payment)
}

#[test]
fn refused_refunds_leave_room_for_a_refund_and_for_a_rejection() {
    // The sum of the sale differs from the order, so the payment is in quarantine.
    let mut sale = other(1, "sale", "success");
    sale["sum_initial"]["amount"] = json!(900);
    let report = TestReport::read(&callback(PAYMENT, "success", 900, sale));
    let (mut payment, _) = apply_all(Some(created(1_000)), &[report.callback()]);
    assert_eq!(payment.status(), Status::Quarantined);
    for number in 0..500 {
        payment = refuse(&payment, number).unwrap();
    }
    let order = refund_order("further", Some(10));
    let further = execute(Some(&payment), Command::Refund(&order), NOW)
        .unwrap()
        .unwrap();
    assert_eq!(further.payment.pending_refund_amount(), 10);
    let mut number = 500;
    while let Ok(next) = refuse(&payment, number) {
        (payment, number) = (next, number + 1);
    }
    assert_eq!(number, 800);
    let order = refund_order("another", Some(10));
    let refusal = execute(Some(&payment), Command::Refund(&order), NOW);
    assert_eq!(refusal.err(), Some(Rejection::TooMany));
    let payment = stored(&payment);
    let items = payment.quarantine();
    let rejected = run(
        payment,
        Command::Review {
            verdict: Verdict::Rejected,
            by: "anna",
            items: &items,
        },
    );
    assert_eq!(rejected.pending_refund_amount(), 900);
    let first = rejected.refund(&id("r-0")).unwrap();
    assert_eq!(
        (first.status(), first.code()),
        (RefundStatus::Declined, Some("3281"))
    );
}

#[test]
fn the_code_of_a_refusal_is_cut_after_32_bytes() {
    let report = success(1);
    let (payment, _) = apply_all(Some(created(1_000)), &[report.callback()]);
    let order = refund_order("r-1", Some(10));
    let payment = run(payment, Command::Refund(&order));
    let answer = refused(&"9".repeat(60_000));
    let fact = payments::decide::Fact::RefundAnswer {
        refund_id: &order.refund_id,
        answer: &answer,
    };
    let payment = decide(Some(&payment), fact, NOW).unwrap().payment;
    assert_eq!(
        payment.refund(&id("r-1")).unwrap().code(),
        Some("9".repeat(32).as_str())
    );
    assert!(size(&payment) < 5_000, "{} bytes", size(&payment));
}
