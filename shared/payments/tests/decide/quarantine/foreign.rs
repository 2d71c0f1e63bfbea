//! Tests a checkout whose `payment_id` another system of the project already used: Gate refuses its first sale with the
//! code 3041.

use ecommpay::answer::Answer;
use payments::decide::{Command, Rejection};
use payments::model::{Order, QuarantineReason, Status, Verdict};
use payments::service::callback::Verified;
use serde_json::json;

use crate::fixtures::*;

/// Returns a payment whose first sale is refused as a duplicate.
fn claimed() -> TestPayment {
    let mut payment = TestPayment::created();
    payment.sale_answer(&refused("3041"));
    assert_eq!(payment.status(), Status::Processing);
    payment
}

/// Returns a report about the other system's sale.
fn sale(amount: u64) -> Verified {
    edited("sale_success", |body| {
        body["payment"]["sum"]["amount"] = amount.into();
        for sum in ["sum_initial", "sum_converted"] {
            body["operation"][sum]["amount"] = amount.into();
        }
    })
}

fn check_hidden(payment: &mut TestPayment, amount: u64) {
    assert_eq!(payment.status(), Status::Quarantined, "{amount}");
    let reasons = payment.quarantine_reasons();
    assert!(reasons.contains(&QuarantineReason::ForeignPayment));
    assert!(!payment.kinds().contains(&"payment.succeeded"), "{amount}");
    let view = payment.view();
    for name in ["paid_amount", "refunded_amount", "refundable_amount"] {
        assert_eq!(view[name], 0, "{name}");
    }
    for name in ["operations", "refunds"] {
        assert_eq!(view[name], json!([]), "{name}");
    }
    for item in view["quarantine"].as_array().unwrap() {
        assert_eq!(item["reported"], json!([]));
    }
    let refund = payment.reserve("r-1", None);
    assert_eq!(refund, Err(Rejection::NotRefundable));
    let refund = payment.reserve("r-1", Some(1));
    assert_eq!(refund, Err(Rejection::NotRefundable));
}

#[test]
fn the_money_of_another_systems_payment_is_quarantined_hidden_and_not_refundable() {
    for amount in [1000, 400, 5000] {
        for is_answer in [false, true] {
            let mut payment = claimed();
            match is_answer {
                true => payment.status_answer(&sale(amount)),
                false => payment.deliver(&sale(amount)),
            };
            check_hidden(&mut payment, amount);
        }
    }
}

#[test]
fn a_foreign_payment_stays_foreign_in_any_order() {
    type Step = fn(&mut TestPayment);
    let repeat: Step = |payment| {
        payment.execute(Command::Resend, NOW.after(MINUTE));
        payment.sale_answer(&refused("3041"));
    };
    let unclear: Step = |payment| {
        payment.execute(Command::Resend, NOW.after(MINUTE));
        payment.sale_answer(&Answer::Unclear);
    };
    let money: Step = |payment| {
        payment.deliver(&sale(1000));
    };
    let poll: Step = |payment| {
        payment.status_answer(&sale(1000));
    };
    for steps in permutations(&[repeat, unclear, money, poll]) {
        let mut payment = claimed();
        for step in steps {
            step(&mut payment);
        }
        check_hidden(&mut payment, 1000);
    }
    // The report arrives before Gate's answer to the first try.
    let mut payment = TestPayment::created();
    payment.deliver(&sale(1000));
    payment.sale_answer(&refused("3041"));
    assert_eq!(payment.status(), Status::Quarantined);
    assert_eq!(payment.refundable_amount(), 0);
}

#[test]
fn only_a_release_makes_foreign_money_count_and_a_rejection_sends_nothing() {
    let mut payment = claimed();
    payment.status_answer(&sale(1000));
    assert_eq!(payment.review(Verdict::Rejected), Ok(true));
    assert_eq!(payment.refunds().len(), 0);
    check_hidden(&mut payment, 1000);
    assert_eq!(payment.review(Verdict::Released), Ok(true));
    assert_eq!(payment.status(), Status::Succeeded);
    assert_eq!(payment.view()["paid_amount"], 1000);
    assert_eq!(payment.refundable_amount(), 1000);
}

#[test]
fn a_sale_whose_repeat_is_refused_as_a_duplicate_counts_as_paid_when_it_succeeds() {
    let mut payment = TestPayment::created_with(&Order { ..order() });
    payment.sale_answer(&Answer::Unclear);
    payment.execute(Command::Resend, NOW.after(MINUTE));
    payment.sale_answer(&refused("3041"));
    payment.deliver(&sale(1000));
    assert_eq!(payment.status(), Status::Succeeded);
}

#[test]
fn the_sale_of_a_failed_attempt_is_no_foreign_payment_of_the_next_attempt() {
    let no_id = Answer::Accepted { request_id: None };
    for first in [accepted(REQUEST), no_id, Answer::Unclear] {
        let mut payment = TestPayment::created();
        payment.sale_answer(&first);
        payment.poll_by(NOW.after(MINUTE), &error_answer("10105"));
        assert_eq!(payment.status(), Status::Failed, "{first:?}");
        payment.execute(Command::Retry { order: &order() }, NOW);
        payment.sale_answer(&refused("3041"));
        payment.deliver(&sale(1000));
        assert_eq!(payment.status(), Status::Succeeded, "{first:?}");
    }
}

#[test]
fn a_payment_stays_foreign_when_an_error_ends_its_attempt() {
    let mut payment = claimed();
    payment.poll_by(NOW.after(MINUTE), &error_answer("10105"));
    assert_eq!(payment.status(), Status::Failed);
    payment.execute(Command::Retry { order: &order() }, NOW);
    payment.sale_answer(&refused("3041"));
    payment.deliver(&sale(1000));
    check_hidden(&mut payment, 1000);
}

#[test]
fn a_sale_that_gate_accepts_later_is_no_foreign_payment() {
    let mut payment = claimed();
    payment.execute(Command::Resend, NOW.after(MINUTE));
    payment.sale_answer(&accepted("q1"));
    payment.deliver(&sale(1000));
    assert_eq!(payment.status(), Status::Succeeded);
}
