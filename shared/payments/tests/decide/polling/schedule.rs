//! Tests the times of status polls with the default schedule.

use std::time::Duration;

use ecommpay::answer::Answer;
use payments::decide::{Command, Fact};
use payments::model::Status;
use payments::model::schedule::Next;

use crate::fixtures::*;

fn seconds_until_poll(payment: &TestPayment) -> u64 {
    poll_at(payment).unwrap().since(NOW).as_secs()
}

#[test]
fn an_open_payment_is_polled_for_31_days_and_is_then_overdue() {
    let mut payment = TestPayment::accepted();
    payment.callback("processing").expire();
    let mut polls = Vec::new();
    while let Some(Next::Poll(_)) = next(&payment) {
        polls.push(payment.poll_unanswered().since(NOW).as_secs());
    }
    let first = [60, 180, 480, 1_380, 4_980, 26_580, 112_980];
    assert_eq!(polls[..7], first);
    let daily = polls[6..].windows(2).map(|two| two[1] - two[0]);
    let (last, usual): (Vec<u64>, Vec<u64>) = daily.partition(|pause| *pause != 86_400);
    assert_eq!(
        (last.len(), usual.len()),
        (1, 29),
        "expected 29 pauses of a day and a shorter last pause"
    );
    let end = NOW.after(31 * DAY);
    assert_eq!(polls.last(), Some(&(31 * 86_400)));
    assert_eq!(next(&payment), Some(Next::Erase(end)));
    payment.erase(end);
    assert_eq!(next(&payment), Some(Next::Overdue(end)));
    assert_eq!(payment.status(), Status::Processing);
    payment.callback("sale_success");
    assert_eq!(payment.status(), Status::Succeeded);
    assert_eq!(next(&payment), None);
}

#[test]
fn the_polls_for_a_refund_end_31_days_after_the_start_of_the_refund() {
    let mut payment = TestPayment::paid();
    let start = NOW.after(20 * DAY);
    let order = refund_order("r-1", None);
    payment.execute(Command::Refund(&order), start);
    let fact = Fact::RefundAnswer {
        refund_id: &id("r-1"),
        answer: &accepted("q"),
    };
    payment.fact(fact, start);
    let mut last = start;
    while let Some(Next::Poll(_)) = next(&payment) {
        last = payment.poll_unanswered();
    }
    assert_eq!(last, start.after(31 * DAY));
    // The customer's data is not erased, because a repeat of the refund can need the IP address.
    assert_eq!(next(&payment), Some(Next::Overdue(last)));
}

#[test]
fn a_change_at_the_platform_after_29_or_30_days_is_found_within_a_day() {
    for (day, answer, status) in [
        (29, "sale_success", Status::Succeeded),
        (30, "sale_decline_limit", Status::Declined),
    ] {
        let mut payment = TestPayment::accepted();
        let changed = NOW.after(day * DAY);
        while poll_at(&payment).unwrap() < changed {
            payment.poll_unanswered();
        }
        let due = poll_at(&payment).unwrap();
        payment.poll_by(due, corpus(answer));
        assert!(due < changed.after(DAY), "{due}");
        assert_eq!(payment.status(), status);
    }
}

/// The early poll finds the redirect URL if the callback with this URL was lost.
#[test]
fn a_gate_sale_without_a_report_is_polled_after_twelve_seconds_and_then_by_the_schedule() {
    let mut payment = TestPayment::accepted();
    assert_eq!(seconds_until_poll(&payment), 12);
    payment.poll_unanswered();
    assert_eq!(seconds_until_poll(&payment), 12 + 60);
    payment.poll_unanswered();
    assert_eq!(seconds_until_poll(&payment), 72 + 120);
}

#[test]
fn a_sale_with_the_redirect_url_is_polled_by_the_schedule() {
    for report in ["redirect_get", "processing"] {
        let mut payment = TestPayment::accepted();
        payment.callback(report);
        assert_eq!(seconds_until_poll(&payment), 60, "{report}");
    }
    assert_eq!(seconds_until_poll(&TestPayment::with_link()), 60);

    let mut payment = TestPayment::accepted();
    payment.poll_unanswered();
    payment.status_answer(corpus("redirect_get"));
    assert_eq!(payment.status(), Status::AwaitingCustomer);
    assert_eq!(seconds_until_poll(&payment), 72);
}

#[test]
fn the_next_attempt_is_polled_for_its_own_redirect_url() {
    let mut payment = TestPayment::created();
    payment.sale_answer(&accepted(REQUEST));
    payment.poll_unanswered();
    payment.callback("error_validation");
    assert_eq!(payment.status(), Status::Failed);
    let retried = NOW.after(Duration::from_secs(100));
    payment.execute(Command::Retry { order: &order() }, retried);
    payment.sale_answer_at(&accepted("r-2"), retried);
    assert_eq!(seconds_until_poll(&payment), 112);
}

#[test]
fn a_lost_sale_that_gate_finally_accepts_is_polled_like_a_new_sale() {
    let mut payment = TestPayment::open_for_thirty_days();
    payment.sale_answer(&Answer::Unclear);
    for _ in 0..5 {
        payment.poll_unanswered();
    }
    let due = poll_at(&payment).unwrap();
    payment.poll_not_found(due, true).conclude(due);
    payment.sale_answer_at(&accepted("r"), due);
    assert_eq!(poll_at(&payment), Some(due.after(MINUTE)));
}

#[test]
fn a_recheck_restarts_the_schedule() {
    let mut payment = TestPayment::accepted();
    payment.callback("processing");
    let mut now = NOW;
    for _ in 0..5 {
        now = payment.poll_unanswered();
    }
    assert_eq!(poll_at(&payment), Some(now.after(6 * HOUR)));
    payment.hint(now);
    assert_eq!(poll_at(&payment), Some(now));
    payment.poll_unanswered();
    assert_eq!(poll_at(&payment), Some(now.after(2 * MINUTE)));
}

/// The answers do not list the contradicted operation.
#[test]
fn a_contradiction_that_no_answer_settles_causes_polls_for_31_days() {
    let mut payment = TestPayment::contradicted();
    let answer = corpus("success_after_decline");
    let mut polls = Vec::new();
    while let Some(due) = poll_at(&payment) {
        assert!(polls.len() < 100, "polled without an end");
        payment.poll_unanswered();
        polls.push(due.since(NOW).as_secs());
        payment.status_answer_at(answer, due);
        assert!(payment.needs_recheck());
    }
    assert_eq!(polls[..5], [0, 120, 420, 1_320, 4_920]);
    assert_eq!(polls.last(), Some(&(31 * 86_400)));
    assert_eq!(polls.len(), 37);
}
