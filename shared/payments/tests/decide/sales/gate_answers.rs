//! Tests Gate's answers to a sale request, and the platform's later errors about this request.

use ecommpay::answer::Answer;
use payments::decide::Command;
use payments::model::schedule::Schedule;
use payments::model::{GateRequest, Status};

use crate::fixtures::*;

fn can_resend(payment: &TestPayment) -> bool {
    change_of(Some(payment), Command::Resend, NOW).is_some()
}

#[test]
fn a_sale_without_a_clear_answer_stays_open_and_can_be_sent_again_once() {
    for answer in [
        Answer::Unclear,
        refused("3041"),
        refused("2147"),
        refused("3613"),
    ] {
        let mut payment = TestPayment::created();
        payment.sale_answer(&answer);
        assert_eq!(payment.status(), Status::Processing, "{answer:?}");
        payment.execute(Command::Resend, NOW);
        assert_eq!(payment.status(), Status::Processing);
        assert_eq!(payment.kinds(), ["payment.created"]);
        assert!(!can_resend(&payment));
    }
}

#[test]
fn a_refusal_of_a_repeated_sale_does_not_fail_the_payment() {
    let mut payment = TestPayment::created();
    payment
        .sale_answer(&Answer::Unclear)
        .execute(Command::Resend, NOW)
        .sale_answer(&refused("2004"));
    assert_eq!(payment.status(), Status::Processing);
}

/// A lock (code 2147) means that the platform made no sale. Therefore only the repeat can make the sale, and a refusal
/// of the repeat is final.
#[test]
fn a_refusal_of_a_sale_that_is_repeated_after_a_lock_fails_the_payment() {
    let mut payment = TestPayment::created();
    payment
        .sale_answer(&refused("2147"))
        .execute(Command::Resend, NOW)
        .sale_answer(&refused("2004"));
    assert_eq!(payment.status(), Status::Failed);
    assert_eq!(payment.refusal_code(), Some("2004"));
}

#[test]
fn a_refused_sale_fails_and_is_not_sent_again() {
    let mut payment = TestPayment::created();
    payment.sale_answer(&refused("2004"));
    assert_eq!(payment.status(), Status::Failed);
    assert_eq!(payment.refusal_code(), Some("2004"));
    assert_eq!(payment.kinds(), ["payment.created", "payment.failed"]);
    assert!(!can_resend(&payment));
}

#[test]
fn a_storefront_repeats_a_sale_at_most_every_ten_seconds_and_twenty_times_in_an_attempt() {
    let can_resend = |payment: &TestPayment, at| {
        let change = change_of(Some(payment), Command::Resend, at);
        change.is_some()
    };
    let second = MINUTE / 60;
    let mut payment = TestPayment::created();
    payment.sale_answer(&Answer::Unclear);
    for number in 0..20 {
        let at = NOW.after(number * 10 * second);
        assert!(can_resend(&payment, at), "{number}");
        payment.execute(Command::Resend, at);
        payment.sale_answer_at(&Answer::Unclear, at);
        assert!(!can_resend(&payment, at.after(9 * second)), "{number}");
    }
    assert!(!can_resend(&payment, NOW.after(HOUR)));
    // After a poll that does not find the sale, the service still repeats the sale.
    let due = payment.poll_unanswered();
    payment.not_found(true, due);
    let schedule = &Schedule::default();
    payment.execute(Command::ResolveNotFound(schedule), due);
    assert!(matches!(
        payment.attempt().request(),
        GateRequest::Sending { repeat: true, .. }
    ));
    // The next attempt counts its own repeats.
    payment.sale_answer_at(&Answer::Unclear, due);
    payment.poll_by(due.after(MINUTE), &error_answer("10105"));
    payment.execute(Command::Retry { order: &order() }, due.after(MINUTE));
    payment.sale_answer_at(&Answer::Unclear, due.after(MINUTE));
    assert!(can_resend(&payment, due.after(MINUTE)));
}

#[test]
fn a_sale_that_is_being_sent_is_sent_again_only_after_thirty_seconds() {
    let payment = TestPayment::created();
    let resend = |at| change_of(Some(&payment), Command::Resend, at);
    assert_eq!(resend(NOW.after(MINUTE / 4)), None);
    assert!(resend(NOW.after(MINUTE / 2)).is_some());
}

#[test]
fn an_error_fails_the_payment_only_if_the_error_is_about_the_open_request() {
    let mut payment = TestPayment::created();
    payment.sale_answer(&accepted(REQUEST));
    payment.callback("error_duplicate_payment");
    assert_eq!(payment.status(), Status::Processing);
    payment.callback("error_validation");
    assert_eq!(payment.status(), Status::Failed);

    let mut payment = TestPayment::created();
    payment
        .sale_answer(&accepted("another"))
        .callback("error_validation");
    assert_eq!(payment.status(), Status::Processing);
    assert!(payment.needs_recheck());
}
