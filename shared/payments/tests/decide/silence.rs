//! What follows where nothing is heard, by the schedule of production.

use std::time::Duration;

use ecommpay::answer::Answer;
use payments::callback::Verified;
use payments::decide::{self, Change, Fact, begin_again, claim_erasure, decide};
use payments::model::{Channel, GateRequest, Payment, Status};
use payments::schedule::{Next, Schedule};
use payments::view::PaymentView;

use super::story::*;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

fn next(payment: &Payment) -> Option<Next> {
    Schedule::default().next(payment)
}

fn claim_end(payment: &Payment, at: payments::Timestamp) -> Option<Change> {
    decide::claim_end(payment, &Schedule::default(), at)
}

impl Story {
    /// A question is put at a moment, due or not, and answered like this.
    fn asked_at(&mut self, at: payments::Timestamp, answer: &Verified) -> &mut Self {
        let mut asked = self.payment.clone();
        asked.questions += 1;
        asked.asked += 1;
        asked.silent_since = Some(at);
        let fact = Fact::StatusAnswer {
            news: answer.news(),
            question: asked.questions,
        };
        let change = decide(Some(&asked), fact, at);
        self.payment = asked;
        self.take(change)
    }

    /// A question is put when it is due, and nobody answers.
    fn unanswered(&mut self) -> payments::Timestamp {
        let due = ask_at(&self.payment).unwrap();
        self.take(claim_check(&self.payment, after(due), due));
        due
    }
}

fn with_a_link() -> Story {
    let mut order = created().payment.order.unwrap();
    order.channel = Channel::PaymentPage;
    let unknown = created().payment;
    let change = payments::decide::create(unknown.project_id, &id(PAYMENT), order, NOW);
    let mut story = Story {
        payment: unknown,
        events: Vec::new(),
    };
    story.take(Some(change));
    story
}

#[test]
fn questions_come_by_the_schedule_until_the_end_and_then_it_is_overdue() {
    let mut story = Story::begin();
    story.answered(&accepted("r"));
    let mut asked = Vec::new();
    while let Some(Next::Ask(_)) = next(&story.payment) {
        asked.push(story.unanswered().since(NOW).as_secs());
    }
    let first = [60, 180, 480, 1_380, 4_980, 26_580, 112_980];
    assert_eq!(asked[..7], first);
    let daily = asked[6..].windows(2).map(|two| two[1] - two[0]);
    let (end, usual): (Vec<u64>, Vec<u64>) = daily.partition(|pause| *pause != 86_400);
    assert_eq!((end.len(), usual.len()), (1, 29), "daily, and at the end");
    let limit = NOW.after(31 * DAY);
    assert_eq!(asked.last(), Some(&(31 * 86_400)));
    assert_eq!(next(&story.payment), Some(Next::Erase(limit)));
    story.take(claim_erasure(&story.payment, &Schedule::default(), limit));
    assert_eq!(next(&story.payment), Some(Next::Overdue(limit)));
    assert_eq!(
        story.payment.status(),
        Status::Processing,
        "nothing ends silently"
    );
    // What is heard at last counts all the same.
    story.hear("sale_success");
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert_eq!(next(&story.payment), None);
}

#[test]
fn a_refund_is_asked_about_for_as_long_from_its_own_begin() {
    let mut story = Story::begin();
    story.hear("sale_success");
    let begun = NOW.after(20 * DAY);
    let change = payments::decide::reserve_refund(&story.payment, &refund("r-1", None), begun);
    story.take(change.unwrap());
    let fact = Fact::RefundAnswer {
        refund_id: &id("r-1"),
        answer: &accepted("q"),
    };
    story.take(decide(Some(&story.payment), fact, begun));
    let mut last = begun;
    while let Some(Next::Ask(_)) = next(&story.payment) {
        last = story.unanswered();
    }
    assert_eq!(last, begun.after(31 * DAY));
    // Its shopper's address may still be needed.
    assert_eq!(next(&story.payment), Some(Next::Overdue(last)));
}

#[test]
fn a_late_success_on_day_29_and_the_decline_at_the_limit_are_learnt() {
    for (day, answer, status) in [
        (29, "sale_success", Status::Succeeded),
        (30, "sale_decline_limit", Status::Declined),
    ] {
        let mut story = Story::begin();
        story.answered(&accepted("r"));
        let known_from = NOW.after(day * DAY);
        loop {
            let due = ask_at(&story.payment).unwrap();
            if due >= known_from {
                story.asked_at(due, corpus(answer));
                assert!(due < known_from.after(DAY), "within a day: {due}");
                break;
            }
            story.unanswered();
        }
        assert_eq!(story.payment.status(), status);
    }
}

#[test]
fn a_sale_that_never_arrived_is_sent_again_while_its_checkout_is_open() {
    let mut story = Story::begin();
    story.answered(&Answer::Unclear);
    let asked = NOW.after(MINUTE);
    story.asked_at(asked, &unknown_to_the_platform("3061"));
    assert_eq!(story.payment.status(), Status::Processing);
    story.take(claim_end(&story.payment, asked));
    let again = GateRequest::Sending {
        since: asked,
        again: true,
    };
    assert_eq!(story.payment.sale, again);
    assert_eq!(claim_end(&story.payment, asked), None, "once");
    story.answered(&accepted("r-2"));
    story.hear("sale_success");
    assert_eq!(story.kinds(), ["payment.created", "payment.succeeded"]);
}

#[test]
fn an_answer_to_an_earlier_question_shows_nothing_of_a_sale() {
    let mut story = Story::begin();
    // Asked while the sale is on its way; then its sender gives up.
    story.asked_at(NOW, &unknown_to_the_platform("3061"));
    let later = NOW.after(Duration::from_secs(1));
    assert_eq!(claim_end(&story.payment, later), None, "on its way");
    story.answered(&Answer::Unclear);
    assert_eq!(claim_end(&story.payment, later), None);
    // What the platform has taken is never sent again.
    story.answered(&accepted("r"));
    for code in ["3061", "3062"] {
        story.asked_at(later, &unknown_to_the_platform(code));
        assert_eq!(claim_end(&story.payment, NOW.after(DAY)), None);
    }
    assert_eq!(story.payment.status(), Status::Processing);
    // Until the last question.
    let end = NOW.after(31 * DAY);
    story.asked_at(end, &unknown_to_the_platform("3061"));
    story.take(claim_end(&story.payment, end));
    assert_eq!(story.payment.refusal_code(), Some("expired"));
}

#[test]
fn a_sale_that_is_refused_when_it_is_repeated_fails_after_another_answer() {
    let mut story = Story::begin();
    story.answered(&Answer::Unclear);
    let first = NOW.after(MINUTE);
    story.asked_at(first, &unknown_to_the_platform("3061"));
    story.take(claim_end(&story.payment, first));
    story.answered(&refused("2004"));
    assert_eq!(story.payment.status(), Status::Processing);
    assert_eq!(claim_end(&story.payment, first), None, "an old answer");
    let second = first.after(2 * MINUTE);
    story.asked_at(second, &unknown_to_the_platform("3061"));
    story.take(claim_end(&story.payment, second));
    assert_eq!(story.payment.status(), Status::Failed);
    assert_eq!(story.payment.refusal_code(), Some("2004"));
    assert_eq!(story.kinds(), ["payment.created", "payment.failed"]);
    // The next attempt knows nothing of it.
    let order = story.payment.order.clone().unwrap();
    story.take(begin_again(&story.payment, order, second));
    assert_eq!(claim_end(&story.payment, second.after(MINUTE)), None);
    assert_eq!(story.payment.sale_refused_again, None);
}

#[test]
fn what_the_platform_never_heard_of_fails_an_hour_after_its_end() {
    for begun in [Story::begin(), with_a_link()] {
        let mut story = begun;
        story.answered(&Answer::Unclear);
        let over = NOW.after(30 * MINUTE);
        let end = over.after(HOUR);
        // The bank may take a shopper in until the very end.
        story.asked_at(over, &unknown_to_the_platform("3061"));
        assert_eq!(claim_end(&story.payment, over), None);
        assert_eq!(claim_end(&story.payment, end), None, "asked too early");
        while ask_at(&story.payment).unwrap() < end {
            story.unanswered();
        }
        assert_eq!(next(&story.payment), Some(Next::Ask(end)));
        story.asked_at(end, &unknown_to_the_platform("3061"));
        story.take(claim_end(&story.payment, end));
        assert_eq!(story.payment.status(), Status::Failed);
        let view = serde_json::to_value(PaymentView::new(&story.payment)).unwrap();
        assert_eq!(view["decline"]["code"], "expired");
        assert_eq!(next(&story.payment), Some(Next::Erase(NOW.after(31 * DAY))));
        // Whoever pays after all has paid.
        story.hear("sale_success");
        assert_eq!(story.payment.status(), Status::Succeeded);
        let last: serde_json::Value =
            serde_json::from_str(&story.events.last().unwrap().body).unwrap();
        assert_eq!(last["data"]["late"], true);
    }
}

#[test]
fn a_doubt_about_what_the_platform_knows_nothing_of_ends_with_the_last_question() {
    let mut story = Story::begin();
    story.answered(&refused("2004"));
    let hint = Fact::Hint(corpus("sale_success").news().report);
    story.take(decide(Some(&story.payment), hint, NOW));
    let end = NOW.after(31 * DAY);
    // In other words, too.
    let unknown = unknown_to_the_platform("2004");
    loop {
        let due = ask_at(&story.payment).unwrap();
        story.take(claim_check(&story.payment, after(due), due));
        let fact = Fact::StatusAnswer {
            news: unknown.news(),
            question: story.payment.questions,
        };
        story.take(decide(Some(&story.payment), fact, due));
        if due == end {
            break;
        }
        assert_eq!(claim_end(&story.payment, due), None);
    }
    story.take(claim_end(&story.payment, end));
    assert_eq!(story.payment.doubted, None);
    assert_eq!(next(&story.payment), Some(Next::Erase(end)));
}

#[test]
fn a_link_that_is_used_does_not_run_out() {
    let mut story = with_a_link();
    story.hear("processing");
    let late = NOW.after(2 * HOUR);
    story.asked_at(late, &unknown_to_the_platform("3061"));
    assert_eq!(claim_end(&story.payment, late), None);
}

#[test]
fn a_sale_that_stays_lost_is_sent_again_ever_more_rarely() {
    let mut story = Story::begin();
    let order = story.payment.order.as_mut().unwrap();
    order.expires_at = NOW.after(30 * DAY);
    story.answered(&Answer::Unclear);
    let (mut sent, mut asked) = (0, 0);
    while ask_at(&story.payment).unwrap() < NOW.after(10 * DAY) {
        let due = ask_at(&story.payment).unwrap();
        story.take(claim_check(&story.payment, after(due), due));
        asked += 1;
        let unknown = unknown_to_the_platform("3061");
        let fact = Fact::StatusAnswer {
            news: unknown.news(),
            question: story.payment.questions,
        };
        story.take(decide(Some(&story.payment), fact, due));
        if let Some(change) = claim_end(&story.payment, due) {
            story.take(Some(change));
            sent += 1;
            story.answered(&Answer::Unclear);
        }
    }
    assert_eq!((asked, sent), (15, 15), "by the schedule, not each minute");
}

#[test]
fn a_lost_sale_that_is_taken_at_last_is_asked_about_like_a_new_one() {
    let mut story = Story::begin();
    let order = story.payment.order.as_mut().unwrap();
    order.expires_at = NOW.after(30 * DAY);
    story.answered(&Answer::Unclear);
    for _ in 0..5 {
        story.unanswered();
    }
    let due = ask_at(&story.payment).unwrap();
    story.asked_at(due, &unknown_to_the_platform("3061"));
    story.take(claim_end(&story.payment, due));
    let answer = accepted("r");
    let fact = Fact::SaleAnswer {
        attempt: 0,
        answer: &answer,
    };
    story.take(decide(Some(&story.payment), fact, due));
    assert_eq!(ask_at(&story.payment), Some(due.after(MINUTE)));
}

#[test]
fn what_is_still_being_done_is_no_end() {
    let mut story = with_a_link();
    let end = NOW.after(2 * HOUR);
    story.asked_at(end, &unknown_to_the_platform("9999"));
    assert_eq!(claim_end(&story.payment, end), None);
    let mut story = Story::begin();
    story.answered(&accepted("r"));
    story.asked_at(end, &unknown_to_the_platform("20899"));
    assert_eq!(story.payment.status(), Status::Processing);
}

#[test]
fn a_link_whose_payment_was_refused_runs_out_like_any_other() {
    let mut story = with_a_link();
    let end = NOW.after(90 * MINUTE);
    story.asked_at(NOW.after(HOUR), &unknown_to_the_platform("2701"));
    assert_eq!(story.payment.status(), Status::AwaitingCustomer);
    assert_eq!(claim_end(&story.payment, NOW.after(HOUR)), None);
    story.asked_at(end, &unknown_to_the_platform("2701"));
    story.take(claim_end(&story.payment, end));
    assert_eq!(story.payment.refusal_code(), Some("expired"));
}

#[test]
fn a_signed_error_ends_a_sale_whose_sender_has_given_up() {
    let mut story = Story::begin();
    story.asked_at(NOW.after(MINUTE), &unknown_to_the_platform("2004"));
    assert_eq!(story.payment.refusal_code(), Some("2004"));
}

#[test]
fn a_signed_error_ends_the_sale_that_was_sent_before_the_question() {
    for answer in [accepted("r"), Answer::Unclear] {
        let mut story = Story::begin();
        story.asked_at(NOW, &unknown_to_the_platform("2004"));
        assert_eq!(story.payment.status(), Status::Created, "still on its way");
        story.answered(&answer);
        let at = NOW.after(MINUTE);
        story.asked_at(at, &unknown_to_the_platform("3041"));
        assert_eq!(story.payment.status(), Status::Processing, "says nothing");
        story.asked_at(at, &unknown_to_the_platform("2004"));
        assert_eq!(story.payment.status(), Status::Failed);
        assert_eq!(story.payment.refusal_code(), Some("2004"));
    }
    // Money that is known does not vanish.
    let mut story = Story::begin();
    story.answered(&accepted("r")).hear("sale_success");
    story.asked_at(NOW, &unknown_to_the_platform("2004"));
    assert_eq!(story.payment.status(), Status::Succeeded);
}

#[test]
fn what_the_platform_asks_of_the_shopper_is_asked_about_when_its_time_is_over() {
    let mut story = Story::begin();
    story.answered(&accepted("r"));
    story.hear("clarification_last_name");
    assert_eq!(story.payment.status(), Status::AwaitingClarification);
    let asked = &story.payment.waiting().unwrap().news.0;
    let end = payments::Timestamp::of_platform(asked).unwrap();
    let end = end.after(31 * MINUTE);
    let mut questions = Vec::new();
    while questions.last().is_none_or(|last| *last < end) {
        questions.push(story.unanswered());
    }
    assert_eq!(questions.last(), Some(&end));
}

/// Both callbacks of the corpus are of one second.
#[test]
fn the_way_to_the_bank_comes_after_what_is_asked_in_the_same_second() {
    let (asked, redirect) = ("clarification_last_name", "redirect_get");
    for files in [[asked, redirect], [redirect, asked]] {
        let mut story = Story::begin();
        story.answered(&accepted("r"));
        story.hear(files[0]).hear(files[1]);
        assert_eq!(
            story.payment.status(),
            Status::AwaitingCustomer,
            "{files:?}"
        );
    }
}

#[test]
fn the_customer_is_forgotten_after_31_days_and_the_money_is_not() {
    let schedule = Schedule::default();
    let mut story = Story::begin();
    story.hear("redirect_get").hear("sale_success");
    let before = story.payment.clone();
    let due = NOW.after(31 * DAY);
    assert_eq!(next(&before), Some(Next::Erase(due)));
    let early = due.before(Duration::from_millis(1));
    assert_eq!(claim_erasure(&before, &schedule, early), None);
    story.take(claim_erasure(&before, &schedule, due));
    let text = serde_json::to_string(&story.payment).unwrap();
    for personal in ["canary-customer", "192.0.2.77", "Canaryname"] {
        assert!(!text.contains(personal), "{personal}");
    }
    let expected = Payment {
        order: before.order.map(|order| payments::model::Order {
            customer: None,
            ..order
        }),
        updated_at: due,
        ..before
    };
    assert_eq!(story.payment, expected);
    assert_eq!(next(&story.payment), None);
    // A refund needs an address of its own then.
    let refund = refund("r-1", Some(100));
    let rejected = payments::decide::reserve_refund(&story.payment, &refund, due);
    assert_eq!(rejected, Err(payments::decide::RefundRejection::NoAddress));
}

#[test]
fn an_open_payment_forgets_what_the_platform_repeated_of_its_customer() {
    let mut story = Story::begin();
    story.answered(&accepted("r")).hear("redirect_get");
    let due = NOW.after(31 * DAY);
    while let Some(Next::Ask(_)) = next(&story.payment) {
        story.unanswered();
    }
    story.take(claim_erasure(&story.payment, &Schedule::default(), due));
    assert!(story.payment.waiting().is_none());
    assert_eq!(next(&story.payment), Some(Next::Overdue(due)));
}
