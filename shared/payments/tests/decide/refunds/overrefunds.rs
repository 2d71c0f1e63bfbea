//! Tests the event about more refunded than paid money.

use payments::model::schedule::{Next, Schedule};

use serde_json::json;

use super::returns::{answer_with, refund_of_dashboard, returned};
use crate::fixtures::*;

/// Returns a payment of 10.00 EUR for which callbacks report refunds of 12.00 EUR.
fn overrefunded_by_callbacks() -> TestPayment {
    let mut payment = TestPayment::paid();
    payment.deliver(&refund_of_dashboard("7", 800));
    payment.deliver(&refund_of_dashboard("8", 400));
    assert_eq!(payment.refund_sums(), (1200, 0, 0));
    payment
}

fn overrefunds(payment: &TestPayment) -> usize {
    let kinds = payment.kinds().into_iter();
    kinds.filter(|kind| *kind == "payment.overrefunded").count()
}

#[test]
fn refunds_above_the_paid_amount_count_and_cause_an_overrefunded_event_after_a_signed_answer() {
    let mut payment = overrefunded_by_callbacks();
    assert_eq!(payment.last_kind(), "refund.succeeded");
    assert_eq!(poll_at(&payment), Some(NOW));
    let answer = answer_with(&[("7", "refund", 800), ("8", "refund", 400)]);
    for _ in 0..2 {
        payment.poll_by(NOW, &answer);
        assert_eq!(payment.last_kind(), "payment.overrefunded");
        assert_eq!(overrefunds(&payment), 1);
    }
    assert!(!payment.needs_recheck());
}

#[test]
fn a_second_excess_of_the_same_amount_causes_a_second_overrefunded_event_after_a_return() {
    let mut payment = TestPayment::paid();
    let operations = [
        ("7", "refund", 800),
        ("8", "refund", 400),
        ("9", "refund reverse", 400),
        ("10", "refund", 400),
    ];
    for (listed, refunded, expected) in [(2, 1200, 1), (3, 800, 1), (4, 1200, 2)] {
        payment.poll_now(NOW, &answer_with(&operations[..listed]));
        assert_eq!(payment.refunded_amount(), refunded);
        assert_eq!(overrefunds(&payment), expected, "{listed} operations");
    }
}

#[test]
fn an_excess_that_a_late_callback_about_a_return_explains_causes_no_overrefunded_event() {
    let mut payment = overrefunded_by_callbacks();
    payment.deliver(&returned("9", 800, None));
    assert_eq!(payment.refund_sums(), (400, 0, 600));
    let answer = [
        ("7", "refund", 800),
        ("8", "refund", 400),
        ("9", "refund reverse", 800),
    ];
    payment.poll_by(NOW, &answer_with(&answer));
    assert_eq!(payment.refund_sums(), (400, 0, 600));
    assert_eq!(overrefunds(&payment), 0);
    assert!(!payment.needs_recheck());
}

#[test]
fn an_excess_above_confirmed_refunds_waits_for_an_answer_that_lists_all_refunds() {
    let mut payment = TestPayment::paid();
    payment.deliver(&refund_of_dashboard("7", 800));
    let first = answer_with(&[("7", "refund", 800)]);
    payment.poll_now(NOW, &first);
    let date = "2019-07-02T10:00:00+0000";
    let later = json!({ "sum_initial": reports::euros(400), "date": date });
    payment.deliver(&refund_operation("8", "success", later));
    // An older answer does not list the second refund, and does not decide.
    payment.poll_by(NOW, &first);
    assert!(payment.needs_recheck());
    assert_eq!(overrefunds(&payment), 0);
    payment.poll_by(
        NOW.after(HOUR),
        &answer_with(&[("7", "refund", 800), ("8", "refund", 400)]),
    );
    assert_eq!(overrefunds(&payment), 1);
}

#[test]
fn an_excess_that_no_answer_decides_causes_an_overrefunded_event_with_the_last_poll() {
    let mut payment = overrefunded_by_callbacks();
    let mut last = NOW;
    while poll_at(&payment).is_some() {
        assert_eq!(overrefunds(&payment), 0, "{last}");
        last = payment.poll_unanswered();
    }
    assert_eq!(last, NOW.after(Schedule::default().max_poll_age));
    assert!(matches!(
        next(&payment),
        Some(Next::Erase(_) | Next::Overdue(_))
    ));
    assert_eq!(overrefunds(&payment), 1);
    assert_eq!(payment.last_kind(), "payment.overrefunded");
}

#[test]
fn an_excess_causes_an_overrefunded_event_immediately_if_the_payment_cannot_be_polled() {
    let foreign = |file: &str, operation_id: &str| {
        edited(file, |body| {
            body["payment"]["id"] = "a;b".into();
            body["operation"]["id"] = operation_id.into();
        })
    };
    let mut payment = TestPayment::external(&foreign("sale_success", "1"));
    payment.deliver(&foreign("refund_success", "2"));
    assert_eq!(overrefunds(&payment), 0);
    payment.deliver(&foreign("refund_success", "3"));
    assert_eq!(overrefunds(&payment), 1);
}

#[test]
fn refunds_of_money_that_only_a_callback_declines_cause_an_overrefunded_event_after_a_signed_answer()
 {
    let mut payment = TestPayment::paid();
    payment.deliver(&refund_of_dashboard("7", 250));
    let refund = answer_with(&[("7", "refund", 250)]);
    payment.poll_now(NOW, &refund);
    payment.callback("confirm_decline");
    assert_eq!(payment.last_kind(), "payment.declined");
    assert!(payment.is_poll_due());
    payment.poll_by(NOW, corpus("status_confirm_decline"));
    assert_eq!(payment.last_kind(), "payment.overrefunded");
}
