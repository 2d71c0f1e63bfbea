//! Tests that no report hides a sum that differs from the order.

use payments::Timestamp;
use payments::model::{Status, Verdict};
use serde_json::{Value, json};

use crate::builders::reports::{self, TestReport};
use crate::fixtures::*;

fn at(minute: u32) -> Timestamp {
    NOW.after(MINUTE * minute)
}

fn operation(id: &str, kind: &str, amount: u64, minute: u32) -> Value {
    let mut operation = reports::operation(id, kind, "success", amount);
    operation["date"] = json!(at(minute).to_platform());
    operation
}

fn sale(minute: u32) -> Value {
    operation("1", "sale", 1000, minute)
}

fn callback(payment: &mut TestPayment, sum: u64) {
    let body = reports::callback(PAYMENT, "success", sum, sale(1));
    payment.fact(TestReport::read(&body).callback(), at(6));
}

fn answer(payment: &mut TestPayment, status: &str, sum: u64, operations: &[Value]) {
    let body = reports::status_answer(PAYMENT, status, sum, operations);
    payment.claim_or_poll_now(at(6));
    let poll = payment.polling().polls_sent();
    payment.fact(TestReport::read(&body).answer_to(poll), at(6));
}

/// Delivers a report with a `payment.sum`.
type Report = dyn Fn(&mut TestPayment, u64);

/// Delivers reports in every order, and returns the payments.
fn in_every_order(reports: &[&dyn Fn(&mut TestPayment)]) -> Vec<TestPayment> {
    let orders = permutations(reports).into_iter();
    let payments = orders.map(|order| {
        let mut payment = TestPayment::accepted();
        for report in order {
            report(&mut payment);
        }
        payment
    });
    payments.collect()
}

/// The answer says that 4.00 EUR of 10.00 EUR are left after a refund of 3.00 EUR.
#[test]
fn a_remainder_in_a_signed_answer_quarantines_when_only_a_callback_explains_it() {
    let in_full = |payment: &mut TestPayment| answer(payment, "success", 1000, &[sale(1)]);
    let lower = |payment: &mut TestPayment| callback(payment, 700);
    let remainder = |payment: &mut TestPayment| {
        let refund = operation("3", "refund", 300, 5);
        answer(payment, "partially refunded", 400, &[sale(1), refund]);
    };
    for payment in in_every_order(&[&in_full, &lower, &remainder]) {
        assert_eq!(payment.status(), Status::Quarantined);
    }
    // A signed answer explains the remainder.
    let lower = |payment: &mut TestPayment| answer(payment, "success", 700, &[sale(1)]);
    for mut payment in in_every_order(&[&in_full, &lower, &remainder]) {
        assert_eq!(payment.quarantine().len(), 1);
        payment.review(Verdict::Released).unwrap();
        assert!(payment.status().is_paid());
    }
}

/// The last event must show the same sums as the payment. A sum that follows from a refund has no event of its own.
#[test]
fn a_remainder_that_another_sum_of_a_callback_explains_is_not_shown() {
    let mut payment = TestPayment::accepted();
    callback(&mut payment, 2000);
    let refund = operation("3", "refund", 300, 5);
    let body = reports::callback(PAYMENT, "partially refunded", 1700, refund.clone());
    payment.fact(TestReport::read(&body).callback(), at(6));
    let events = payment.kinds();
    answer(&mut payment, "partially refunded", 1700, &[sale(1), refund]);
    assert_eq!(payment.kinds(), events);
    assert_eq!(payment.status(), Status::Quarantined);
    assert_eq!(
        payment.view()["quarantine"],
        payment.last_data()["quarantine"]
    );
}

#[test]
fn a_lower_signed_sum_quarantines_beside_many_greater_sums_of_callbacks() {
    for is_released in [false, true] {
        let mut payment = TestPayment::accepted();
        for number in 0..16 {
            callback(&mut payment, 2000 + number);
        }
        match is_released {
            true => assert_eq!(payment.review(Verdict::Released), Ok(true)),
            false => answer(&mut payment, "success", 1000, &[sale(1)]),
        }
        assert!(payment.status().is_paid(), "{is_released}");
        answer(&mut payment, "success", 900, &[sale(2)]);
        assert_eq!(payment.status(), Status::Quarantined, "{is_released}");
    }
}

#[test]
fn a_sum_that_is_not_stored_quarantines_again_after_the_stored_sums_were_released() {
    let report: [&Report; 2] = [&callback, &|payment, sum| {
        answer(payment, "success", sum, &[sale(1)])
    }];
    for report in report {
        let mut payment = TestPayment::accepted();
        for number in 0..16 {
            report(&mut payment, 2000 + number);
        }
        payment.review(Verdict::Released).unwrap();
        assert!(payment.status().is_paid());
        report(&mut payment, 1900);
        assert_eq!(payment.status(), Status::Quarantined);
        payment.review(Verdict::Released).unwrap();
        assert!(payment.status().is_paid());
    }
}

#[test]
fn many_differing_sums_quarantine_the_same_in_any_order() {
    let sums = (0..20).map(|number| 2000 + number);
    let orders = [Vec::from_iter(sums.clone()), Vec::from_iter(sums.rev())];
    let [one, other] = orders.map(|sums| {
        let mut payment = TestPayment::accepted();
        for sum in sums {
            match sum % 2 == 0 {
                true => callback(&mut payment, sum),
                false => answer(&mut payment, "success", sum, &[sale(1)]),
            }
        }
        payment
    });
    assert_eq!(one.outcome(), other.outcome());
}

/// A signed answer names 9.00 EUR for the sale. Later answers name 10.00 EUR, each with another `sum_converted`.
#[test]
fn a_signed_sum_quarantines_although_later_answers_repeat_another_sum_with_many_converted_sums() {
    let lower = operation("1", "sale", 900, 1);
    let mut answers = vec![lower];
    answers.extend((0..8).map(|number| {
        let mut sale = sale(2 + number);
        sale["sum_converted"] = json!({ "amount": 1100 + number, "currency": "USD" });
        sale
    }));
    let orders = [answers.clone(), answers.into_iter().rev().collect()];
    let [one, other] = orders.map(|answers| {
        let mut payment = TestPayment::accepted();
        for sale in answers {
            answer(&mut payment, "success", 1000, &[sale]);
        }
        payment
    });
    assert_eq!(one.status(), Status::Quarantined);
    assert!(
        one.quarantine()
            .iter()
            .any(|item| item.reported.as_ref().is_some_and(|sum| sum.amount == 900))
    );
    assert_eq!(one.outcome(), other.outcome());
}
