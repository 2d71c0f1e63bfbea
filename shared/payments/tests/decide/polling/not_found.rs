//! Tests payments for which the platform answers a status poll with "not found", signed or unsigned.

use std::time::Duration;

use ecommpay::answer::Answer;
use payments::decide::{Command, Fact, decide};
use payments::model::schedule::Next;
use payments::model::{GateRequest, Status};

use crate::fixtures::*;

impl TestPayment {
    /// Returns a payment whose sale request got no clear answer from Gate.
    fn lost_sale() -> Self {
        let mut payment = Self::created();
        payment.sale_answer(&Answer::Unclear);
        payment
    }
}

#[test]
fn a_lost_sale_is_sent_again_once_after_a_not_found_while_its_checkout_is_open() {
    for signed in [false, true] {
        let mut payment = TestPayment::lost_sale();
        let polled = NOW.after(MINUTE);
        payment.poll_not_found(polled, signed);
        assert_eq!(payment.status(), Status::Processing);
        payment.conclude(polled);
        let again = GateRequest::Sending {
            since: polled,
            repeat: true,
            locked: false,
            polls_before: 1,
            duplicate: None,
        };
        assert_eq!(*payment.attempt().request(), again);
        assert!(!payment.can_conclude(polled));
        payment.sale_answer(&accepted("r-2"));
        payment.callback("sale_success");
        assert_eq!(payment.kinds(), ["payment.created", "payment.succeeded"]);
    }
}

#[test]
fn a_not_found_has_no_effect_if_the_poll_was_sent_before_gates_answer() {
    let mut payment = TestPayment::created();
    payment.poll_not_found(NOW, true);
    let later = NOW.after(Duration::from_secs(1));
    assert!(!payment.can_conclude(later), "the sale is being sent");
    payment.sale_answer(&Answer::Unclear);
    assert!(!payment.can_conclude(later));
}

#[test]
fn an_accepted_sale_is_never_sent_again_and_fails_only_after_31_days() {
    let mut payment = TestPayment::accepted();
    for code in ["3061", "3062"] {
        payment.poll_now(NOW, &error_answer(code));
        assert!(!payment.can_conclude(NOW.after(DAY)), "{code}");
    }
    assert_eq!(payment.status(), Status::Processing);
    payment.callback("processing").expire();
    let end = NOW.after(31 * DAY);
    while let Some(Next::Poll(due)) = next(&payment)
        && due < end
    {
        payment.poll_unanswered();
    }
    payment.poll_not_found(end, true).conclude(end);
    assert_eq!(payment.refusal_code(), Some("expired"));
}

#[test]
fn a_repeated_sale_that_gate_refuses_fails_after_another_not_found() {
    let mut payment = TestPayment::lost_sale();
    let first = NOW.after(MINUTE);
    payment.poll_not_found(first, true).conclude(first);
    payment.sale_answer(&refused("2004"));
    assert_eq!(payment.status(), Status::Processing);
    assert!(
        !payment.can_conclude(first),
        "the answer is older than the repeat"
    );
    let second = first.after(2 * MINUTE);
    payment.poll_not_found(second, true).conclude(second);
    assert_eq!(payment.status(), Status::Failed);
    assert_eq!(payment.refusal_code(), Some("2004"));
    assert_eq!(payment.kinds(), ["payment.created", "payment.failed"]);
    // The next attempt starts without the refusal and without the "not found".
    payment.execute(Command::Retry { order: &order() }, second);
    assert!(!payment.can_conclude(second.after(MINUTE)));
    assert_eq!(payment.refusal_code(), None);
    assert!(matches!(
        payment.attempt().request(),
        GateRequest::Sending { repeat: false, .. }
    ));
}

/// The shopper can still pay at the bank until the checkout expires.
#[test]
fn a_payment_that_the_platform_does_not_find_fails_an_hour_after_its_checkout_expires() {
    for signed in [false, true] {
        for mut payment in [TestPayment::lost_sale(), TestPayment::with_link()] {
            let expired = order().expires_at;
            let end = expired.after(HOUR);
            payment.expire();
            payment.poll_not_found(expired, signed);
            assert!(!payment.can_conclude(expired));
            assert!(
                !payment.can_conclude(end),
                "the last answer is too early to end the payment"
            );
            while poll_at(&payment).unwrap() < end {
                payment.poll_unanswered();
            }
            assert_eq!(next(&payment), Some(Next::Poll(end)));
            payment.poll_not_found(end, signed).conclude(end);
            assert_eq!(payment.status(), Status::Failed);
            assert_eq!(payment.view()["decline"]["code"], "expired");
            assert_eq!(payment.last_kind(), "payment.failed");
            assert_eq!(next(&payment), Some(Next::Erase(NOW.after(31 * DAY))));
            payment.callback("sale_success");
            assert_eq!(payment.status(), Status::Succeeded);
            assert_eq!(payment.last_data()["late"], true);
        }
    }
}

#[test]
fn a_used_link_does_not_fail_after_a_not_found() {
    let mut payment = TestPayment::with_link();
    payment.callback("processing");
    let late = NOW.after(2 * HOUR);
    payment.poll_not_found(late, true);
    assert!(!payment.can_conclude(late));
}

#[test]
fn a_sale_that_the_platform_never_finds_is_sent_again_after_each_poll() {
    let mut payment = TestPayment::open_for_thirty_days();
    payment.sale_answer(&Answer::Unclear);
    let (mut sent, mut polls) = (0, 0);
    while poll_at(&payment).unwrap() < NOW.after(10 * DAY) {
        let due = payment.poll_unanswered();
        polls += 1;
        payment.not_found(true, due);
        if payment.can_conclude(due) {
            payment.conclude(due).sale_answer(&Answer::Unclear);
            sent += 1;
        }
    }
    // In 10 days, there are 15 scheduled polls, and one poll for the redirect URL. The sale is sent again after each
    // poll.
    assert_eq!((polls, sent), (16, 16));
}

#[test]
fn a_not_found_does_not_change_a_decided_payment() {
    for signed in [false, true] {
        for (file, status) in [
            ("sale_success", Status::Succeeded),
            ("amount_differs", Status::Quarantined),
            ("sale_decline_customer", Status::Declined),
            ("confirm_sale_done", Status::AwaitingConfirmation),
        ] {
            let mut payment = TestPayment::lost_sale();
            payment.callback(file);
            let paid = payment.paid_amount();
            let late = NOW.after(3 * HOUR);
            payment.poll_not_found(late, signed);
            assert!(!payment.can_conclude(late), "{file}");
            assert_eq!(payment.status(), status, "{file}");
            assert_eq!(payment.paid_amount(), paid, "{file}");
        }
    }
}

/// A signed error without an operation has the same effect as a signed "not found".
#[test]
fn a_recheck_without_money_ends_with_the_last_poll_only_if_the_answer_is_signed() {
    let hint = Fact::Hint(&corpus("sale_success").report);
    let external = TestPayment::from(decide(None, hint, NOW).unwrap());
    let mut failed = TestPayment::created();
    failed.sale_answer(&refused("2004")).hint(NOW);
    let error = error_answer("2004");
    for payment in [external, failed] {
        for (signed, answer) in [(false, None), (true, None), (true, Some(&error))] {
            let mut payment = payment.fork();
            let end = NOW.after(31 * DAY);
            while let Some(due) = poll_at(&payment) {
                assert!(due <= end && !payment.can_conclude(due));
                match answer {
                    None => payment.poll_not_found(due, signed),
                    Some(answer) => payment.poll_by(due, answer),
                };
                assert_eq!(payment.can_conclude(due), signed && due == end);
                if due == end {
                    break;
                }
            }
            payment.conclude(end);
            assert_eq!(payment.needs_recheck(), !signed, "{answer:?}");
        }
    }
}

#[test]
fn a_recheck_about_money_never_ends_with_not_found() {
    for signed in [false, true] {
        let mut payment = TestPayment::paid();
        payment.hint(NOW);
        while let Some(due) = poll_at(&payment) {
            payment.poll_not_found(due, signed);
            assert!(!payment.can_conclude(due));
        }
        assert!(payment.needs_recheck());
        assert_eq!(next(&payment), Some(Next::Erase(NOW.after(31 * DAY))));
        assert_eq!(payment.status(), Status::Succeeded);
        assert_eq!(payment.paid_amount(), 1000);
    }
}
