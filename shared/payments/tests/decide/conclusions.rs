//! What follows where the platform reports nothing, by the schedule of production.

use std::time::Duration;

use ecommpay::answer::Answer;
use payments::Timestamp;
use payments::decide::{Change, Command, Fact, Rejection, execute};
use payments::model::schedule::{Next, Schedule};
use payments::model::{Channel, GateRequest, Order, Payment, Status};
use payments::service::callback::Verified;

use super::story::*;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

pub fn next(payment: &Payment) -> Option<Next> {
    Schedule::default().next(payment)
}

pub fn conclude(payment: &Payment, at: Timestamp) -> Option<Change> {
    run(
        Some(payment),
        Command::ResolveNotFound(&Schedule::default()),
        at,
    )
}

fn erase(payment: &Payment, at: Timestamp) -> Option<Change> {
    run(Some(payment), Command::Erase(&Schedule::default()), at)
}

fn not_found() -> Verified {
    unknown_to_the_platform("3061")
}

pub fn with_a_link() -> Story {
    let link = Order {
        channel: Channel::PaymentPage,
        ..order()
    };
    Story::created_with(&link)
}

/// The end of the checkout is emitted, so that the schedule goes on.
fn expire(story: &mut Story) -> &mut Story {
    story.run(Command::Expire, order().expires_at)
}

#[test]
fn a_payment_is_polled_by_the_schedule_until_its_end_and_is_overdue_then() {
    let mut story = Story::created();
    story.sale_answer(&accepted("r")).callback("processing");
    expire(&mut story);
    let mut polls = Vec::new();
    while let Some(Next::Poll(_)) = next(&story.payment) {
        polls.push(story.poll_unanswered().since(NOW).as_secs());
    }
    let first = [60, 180, 480, 1_380, 4_980, 26_580, 112_980];
    assert_eq!(polls[..7], first);
    let daily = polls[6..].windows(2).map(|two| two[1] - two[0]);
    let (end, usual): (Vec<u64>, Vec<u64>) = daily.partition(|pause| *pause != 86_400);
    assert_eq!((end.len(), usual.len()), (1, 29), "daily, and at the end");
    let limit = NOW.after(31 * DAY);
    assert_eq!(polls.last(), Some(&(31 * 86_400)));
    assert_eq!(next(&story.payment), Some(Next::Erase(limit)));
    story.take(erase(&story.payment, limit));
    assert_eq!(next(&story.payment), Some(Next::Overdue(limit)));
    assert_eq!(
        story.payment.status(),
        Status::Processing,
        "time alone ends nothing"
    );
    // A report that comes after all counts.
    story.callback("sale_success");
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert_eq!(next(&story.payment), None);
}

#[test]
fn a_refund_is_polled_for_as_long_from_its_own_start() {
    let mut story = Story::created();
    story.callback("sale_success");
    let started = NOW.after(20 * DAY);
    story.run(Command::Refund(&refund("r-1", None)), started);
    let fact = Fact::RefundAnswer {
        refund_id: &id("r-1"),
        answer: &accepted("q"),
    };
    story.fact(fact, started);
    let mut last = started;
    while let Some(Next::Poll(_)) = next(&story.payment) {
        last = story.poll_unanswered();
    }
    assert_eq!(last, started.after(31 * DAY));
    // Its shopper's address may still be needed.
    assert_eq!(next(&story.payment), Some(Next::Overdue(last)));
}

#[test]
fn a_success_on_day_29_and_the_decline_at_the_limit_are_found_by_polling() {
    for (day, answer, status) in [
        (29, "sale_success", Status::Succeeded),
        (30, "sale_decline_limit", Status::Declined),
    ] {
        let mut story = Story::created();
        story.sale_answer(&accepted("r"));
        let known_from = NOW.after(day * DAY);
        loop {
            let due = poll_at(&story.payment).unwrap();
            if due >= known_from {
                story.poll_by(due, corpus(answer));
                assert!(due < known_from.after(DAY), "within a day: {due}");
                break;
            }
            story.poll_unanswered();
        }
        assert_eq!(story.payment.status(), status);
    }
}

#[test]
fn a_sale_that_never_arrived_is_sent_again_while_its_checkout_is_open() {
    let mut story = Story::created();
    story.sale_answer(&Answer::Unclear);
    let polled = NOW.after(MINUTE);
    story.poll_by(polled, &not_found());
    assert_eq!(story.payment.status(), Status::Processing);
    story.take(conclude(&story.payment, polled));
    let again = GateRequest::Sending {
        since: polled,
        repeat: true,
        polls_before: 1,
    };
    assert_eq!(*story.payment.attempt().request(), again);
    assert_eq!(conclude(&story.payment, polled), None, "once");
    story.sale_answer(&accepted("r-2"));
    story.callback("sale_success");
    assert_eq!(story.kinds(), ["payment.created", "payment.succeeded"]);
}

#[test]
fn an_answer_to_an_earlier_status_request_says_nothing_about_a_sale() {
    let mut story = Story::created();
    // Polled while the sale is on its way; then its sender gives up.
    story.poll_now(NOW, &not_found());
    let later = NOW.after(Duration::from_secs(1));
    assert_eq!(conclude(&story.payment, later), None, "on its way");
    story.sale_answer(&Answer::Unclear);
    assert_eq!(conclude(&story.payment, later), None);
    // What the platform has taken is never sent again.
    story.sale_answer(&accepted("r"));
    for code in ["3061", "3062"] {
        story.poll_now(later, &unknown_to_the_platform(code));
        assert_eq!(conclude(&story.payment, NOW.after(DAY)), None);
    }
    assert_eq!(story.payment.status(), Status::Processing);
    // Until the last status request.
    story.callback("processing");
    expire(&mut story);
    while let Some(Next::Poll(due)) = next(&story.payment)
        && due < NOW.after(31 * DAY)
    {
        story.poll_unanswered();
    }
    let end = NOW.after(31 * DAY);
    story.poll_by(end, &not_found());
    story.take(conclude(&story.payment, end));
    assert_eq!(story.payment.refusal_code(), Some("expired"));
}

#[test]
fn a_sale_that_is_refused_when_it_is_repeated_fails_after_another_answer() {
    let mut story = Story::created();
    story.sale_answer(&Answer::Unclear);
    let first = NOW.after(MINUTE);
    story.poll_by(first, &not_found());
    story.take(conclude(&story.payment, first));
    story.sale_answer(&refused("2004"));
    assert_eq!(story.payment.status(), Status::Processing);
    assert_eq!(conclude(&story.payment, first), None, "an earlier answer");
    let second = first.after(2 * MINUTE);
    story.poll_by(second, &not_found());
    story.take(conclude(&story.payment, second));
    assert_eq!(story.payment.status(), Status::Failed);
    assert_eq!(story.payment.refusal_code(), Some("2004"));
    assert_eq!(story.kinds(), ["payment.created", "payment.failed"]);
    // The next attempt knows nothing of it.
    story.run(Command::Retry { order: &order() }, second);
    assert_eq!(conclude(&story.payment, second.after(MINUTE)), None);
    assert_eq!(story.payment.refusal_code(), None);
    assert!(matches!(
        story.payment.attempt().request(),
        GateRequest::Sending { repeat: false, .. }
    ));
}

#[test]
fn a_payment_unknown_to_the_platform_fails_an_hour_after_its_checkout_ended() {
    for created in [Story::created(), with_a_link()] {
        let mut story = created;
        story.sale_answer(&Answer::Unclear);
        let over = NOW.after(30 * MINUTE);
        let end = over.after(HOUR);
        // The bank accepts the shopper until the very end.
        expire(&mut story);
        story.poll_by(over, &not_found());
        assert_eq!(conclude(&story.payment, over), None);
        assert_eq!(conclude(&story.payment, end), None, "polled too early");
        while poll_at(&story.payment).unwrap() < end {
            story.poll_unanswered();
        }
        assert_eq!(next(&story.payment), Some(Next::Poll(end)));
        story.poll_by(end, &not_found());
        story.take(conclude(&story.payment, end));
        assert_eq!(story.payment.status(), Status::Failed);
        assert_eq!(story.view()["decline"]["code"], "expired");
        assert_eq!(next(&story.payment), Some(Next::Erase(NOW.after(31 * DAY))));
        // Money that comes after all counts.
        story.callback("sale_success");
        assert_eq!(story.payment.status(), Status::Succeeded);
        assert_eq!(story.last_data()["late"], true);
    }
}

#[test]
fn a_recheck_of_a_payment_unknown_to_the_platform_ends_with_the_last_status_request() {
    let mut story = Story::created();
    story.sale_answer(&refused("2004"));
    story.fact(Fact::Hint(&corpus("sale_success").report), NOW);
    let end = NOW.after(31 * DAY);
    // An error without an operation says the same.
    let unknown = unknown_to_the_platform("2004");
    loop {
        let due = poll_at(&story.payment).unwrap();
        story.poll_unanswered();
        story.status_answer_at(&unknown, due);
        if due == end {
            break;
        }
        assert_eq!(conclude(&story.payment, due), None);
    }
    story.take(conclude(&story.payment, end));
    assert!(!story.needs_recheck());
    assert_eq!(next(&story.payment), Some(Next::Erase(end)));
}

#[test]
fn a_link_that_was_used_does_not_end_when_the_platform_finds_nothing() {
    let mut story = with_a_link();
    story.callback("processing");
    let late = NOW.after(2 * HOUR);
    story.poll_by(late, &not_found());
    assert_eq!(conclude(&story.payment, late), None);
}

fn open_for_thirty_days() -> Story {
    let order = Order {
        expires_at: NOW.after(30 * DAY),
        ..order()
    };
    Story::created_with(&order)
}

#[test]
fn a_sale_that_stays_lost_is_sent_again_at_growing_intervals() {
    let mut story = open_for_thirty_days();
    story.sale_answer(&Answer::Unclear);
    let (mut sent, mut polls) = (0, 0);
    while poll_at(&story.payment).unwrap() < NOW.after(10 * DAY) {
        let due = story.poll_unanswered();
        polls += 1;
        story.status_answer_at(&not_found(), due);
        if let Some(change) = conclude(&story.payment, due) {
            story.take(Some(change));
            sent += 1;
            story.sale_answer(&Answer::Unclear);
        }
    }
    // 15 by the schedule, and the one after 12 seconds for the redirect URL.
    assert_eq!((polls, sent), (16, 16));
}

#[test]
fn a_lost_sale_that_is_accepted_at_last_is_polled_like_a_new_one() {
    let mut story = open_for_thirty_days();
    story.sale_answer(&Answer::Unclear);
    for _ in 0..5 {
        story.poll_unanswered();
    }
    let due = poll_at(&story.payment).unwrap();
    story.poll_by(due, &not_found());
    story.take(conclude(&story.payment, due));
    let answer = accepted("r");
    let fact = Fact::SaleAnswer {
        attempt: 0,
        answer: &answer,
    };
    story.fact(fact, due);
    assert_eq!(poll_at(&story.payment), Some(due.after(MINUTE)));
}

#[test]
fn an_error_that_says_to_wait_ends_nothing() {
    let mut story = with_a_link();
    let end = NOW.after(2 * HOUR);
    story.poll_by(end, &unknown_to_the_platform("9999"));
    assert_eq!(conclude(&story.payment, end), None);
    let mut story = Story::created();
    story.sale_answer(&accepted("r"));
    story.poll_by(end, &unknown_to_the_platform("20899"));
    assert_eq!(story.payment.status(), Status::Processing);
}

#[test]
fn a_link_whose_payment_was_refused_expires_like_any_other() {
    let mut story = with_a_link();
    let end = NOW.after(90 * MINUTE);
    story.poll_by(NOW.after(HOUR), &unknown_to_the_platform("2701"));
    assert_eq!(story.payment.status(), Status::AwaitingCustomer);
    assert_eq!(conclude(&story.payment, NOW.after(HOUR)), None);
    story.poll_by(end, &unknown_to_the_platform("2701"));
    story.take(conclude(&story.payment, end));
    assert_eq!(story.payment.refusal_code(), Some("expired"));
}

#[test]
fn a_signed_error_ends_a_sale_whose_sender_has_given_up() {
    let mut story = Story::created();
    story.poll_by(NOW.after(MINUTE), &unknown_to_the_platform("2004"));
    assert_eq!(story.payment.refusal_code(), Some("2004"));
}

#[test]
fn a_signed_error_ends_the_sale_that_was_sent_before_the_status_request() {
    for answer in [accepted("r"), Answer::Unclear] {
        let mut story = Story::created();
        story.poll_by(NOW, &unknown_to_the_platform("2004"));
        assert_eq!(story.payment.status(), Status::Created, "still on its way");
        story.sale_answer(&answer);
        let at = NOW.after(MINUTE);
        story.poll_by(at, &unknown_to_the_platform("3041"));
        assert_eq!(story.payment.status(), Status::Processing, "says nothing");
        story.poll_by(at, &unknown_to_the_platform("2004"));
        assert_eq!(story.payment.status(), Status::Failed);
        assert_eq!(story.payment.refusal_code(), Some("2004"));
    }
    // Money that is known does not vanish.
    let mut story = Story::created();
    story.sale_answer(&accepted("r")).callback("sale_success");
    story.poll_by(NOW, &unknown_to_the_platform("2004"));
    assert_eq!(story.payment.status(), Status::Succeeded);
}

#[test]
fn a_clarification_request_is_polled_when_its_time_is_over() {
    let mut story = Story::created();
    story.sale_answer(&accepted("r"));
    story.callback("clarification_last_name");
    assert_eq!(story.payment.status(), Status::AwaitingClarification);
    let callback = corpus("clarification_last_name");
    let requested = callback.report.operations[0].date.as_deref().unwrap();
    let end = Timestamp::of_platform(requested)
        .unwrap()
        .after(31 * MINUTE);
    let mut polls = Vec::new();
    while polls.last().is_none_or(|last| *last < end) {
        polls.push(story.poll_unanswered());
    }
    assert_eq!(polls.last(), Some(&end));
}

/// Both callbacks of the corpus are of one second.
#[test]
fn a_redirect_wins_over_a_clarification_of_the_same_second() {
    let (clarification, redirect) = ("clarification_last_name", "redirect_get");
    for files in [[clarification, redirect], [redirect, clarification]] {
        let mut story = Story::created();
        story.sale_answer(&accepted("r"));
        story.callback(files[0]).callback(files[1]);
        assert_eq!(
            story.payment.status(),
            Status::AwaitingCustomer,
            "{files:?}"
        );
    }
}

#[test]
fn the_customer_is_erased_after_31_days_and_the_money_is_kept() {
    let mut story = Story::created();
    story.callback("redirect_get").callback("sale_success");
    let before = story.payment.clone();
    let due = NOW.after(31 * DAY);
    assert_eq!(next(&before), Some(Next::Erase(due)));
    let early = due.before(Duration::from_millis(1));
    assert_eq!(erase(&before, early), None);
    story.take(erase(&before, due));
    let text = serde_json::to_string(&story.payment).unwrap();
    for personal in ["canary-customer", "192.0.2.77", "Canaryname"] {
        assert!(!text.contains(personal), "{personal}");
    }
    let mut expected = serde_json::to_value(&before).unwrap();
    expected["order"]
        .as_object_mut()
        .unwrap()
        .remove("customer");
    expected["updated_at"] = serde_json::to_value(&story.payment).unwrap()["updated_at"].clone();
    assert_eq!(serde_json::to_value(&story.payment).unwrap(), expected);
    assert_eq!(story.payment.updated_at(), due);
    assert_eq!(next(&story.payment), None);
    // A refund needs an address of its own then.
    let refund = refund("r-1", Some(100));
    let rejected = execute(Some(&story.payment), Command::Refund(&refund), due);
    assert_eq!(rejected, Err(Rejection::NoAddress));
}

#[test]
fn erasing_an_open_payment_removes_what_the_platform_repeated_of_its_customer() {
    let mut story = Story::created();
    story.sale_answer(&accepted("r")).callback("redirect_get");
    expire(&mut story);
    let due = NOW.after(31 * DAY);
    while let Some(Next::Poll(_)) = next(&story.payment) {
        story.poll_unanswered();
    }
    story.take(erase(&story.payment, due));
    assert_eq!(story.payment.redirect(), None);
    assert_eq!(next(&story.payment), Some(Next::Overdue(due)));
}
