//! When the platform is polled, and what its signed answers settle.

use std::time::Duration;

use payments::decide::{Fact, decide};
use payments::model::Status;
use serde_json::json;

use super::story::*;

#[test]
fn a_signed_answer_settles_what_callbacks_contradict() {
    let mut story = Story::created();
    story
        .callback("sale_success")
        .callback("sale_decline_customer");
    assert!(story.needs_recheck(), "a contradiction is polled");
    story.poll("sale_success");
    assert!(!story.needs_recheck());
    assert_eq!(poll_at(&story.payment), None, "nothing is open");
    story.callback("sale_decline_limit");
    assert!(!story.needs_recheck(), "the answer stands");
    assert_eq!(story.payment.status(), Status::Succeeded);

    let mut story = Story::created();
    story
        .callback("sale_success")
        .callback("sale_decline_customer");
    story.poll("sale_decline_customer");
    assert_eq!(story.payment.status(), Status::Declined);
    assert_eq!(
        story.kinds(),
        ["payment.created", "payment.succeeded", "payment.declined"]
    );
    assert_eq!(story.last_data()["corrects"], "payment.succeeded");

    // An answer that differs from the order settles nothing in the shopper's favour.
    let mut story = Story::created();
    story
        .callback("sale_success")
        .callback("sale_decline_customer");
    story.poll("amount_differs");
    assert_eq!(story.payment.status(), Status::Quarantined);

    // Money that is reported after the platform has denied it is polled.
    let mut story = Story::created();
    story.poll("sale_decline_customer");
    assert!(!story.needs_recheck());
    story.callback("sale_success");
    assert!(story.needs_recheck());
    assert_eq!(poll_at(&story.payment), Some(NOW));

    // Two sales: the answer may say that one of them was declined.
    let mut story = Story::created();
    story
        .callback("sale_success")
        .callback("success_after_decline");
    assert_eq!(story.payment.status(), Status::Quarantined);
    assert!(story.needs_recheck());
    story.poll("sale_decline_customer");
    assert_eq!(story.payment.status(), Status::Succeeded);
}

/// A contradiction about an operation that the platform's answers do not list.
#[test]
fn an_unsettled_contradiction_is_polled_by_the_schedule_until_its_end() {
    let mut story = Story::created();
    story
        .callback("sale_success")
        .callback("sale_decline_customer");
    let answer = corpus("success_after_decline");
    let mut polls = Vec::new();
    while let Some(due) = poll_at(&story.payment) {
        assert!(polls.len() < 100, "polled for ever");
        story.poll_unanswered();
        polls.push(due.since(NOW).as_secs());
        story.status_answer_at(answer, due);
        assert!(story.needs_recheck());
    }
    assert_eq!(polls[..5], [0, 120, 420, 1_320, 4_920]);
    assert_eq!(polls.last(), Some(&(31 * 86_400)));
    assert_eq!(polls.len(), 37);
}

#[test]
fn any_money_explains_a_payment_that_was_not_created_here() {
    for file in [
        "payment_confirmation",
        "manual_change_success",
        "sale_success",
    ] {
        let payment = decide(None, corpus(file).fact(), NOW).unwrap().payment;
        assert_eq!(poll_at(&payment), Some(NOW), "{file}");
        let mut story = Story {
            payment,
            events: Vec::new(),
        };
        story.poll(file);
        assert!(!story.needs_recheck(), "{file}");
        assert_eq!(story.payment.status(), Status::Unmatched, "{file}");
        assert_eq!(poll_at(&story.payment), None, "{file}");
    }
}

#[test]
fn a_recheck_starts_the_schedule_anew() {
    let mut story = Story::created();
    story.sale_answer(&accepted("r")).callback("processing");
    let mut now = NOW;
    for _ in 0..5 {
        now = story.poll_unanswered();
    }
    assert_eq!(
        poll_at(&story.payment),
        Some(now.after(Duration::from_secs(6 * 3600)))
    );
    story.fact(Fact::Hint(&corpus("sale_success").report), now);
    assert_eq!(poll_at(&story.payment), Some(now));
    // The status request is not answered.
    story.poll_unanswered();
    assert_eq!(
        poll_at(&story.payment),
        Some(now.after(Duration::from_secs(120)))
    );
}

fn contradicted() -> Story {
    let mut story = Story::created();
    story
        .callback("sale_success")
        .callback("sale_decline_customer");
    story
}

fn answer(story: &mut Story, poll: u32, file: &str) {
    let report = corpus(file).signed_report();
    story.fact(Fact::StatusAnswer { report, poll }, NOW);
}

#[test]
fn an_answer_settles_only_what_was_reported_before_its_status_request() {
    // A hint comes while the answer is on its way.
    let mut story = contradicted();
    story.poll_unanswered();
    assert_eq!(story.payment.polling().polls_sent(), 1);
    let hint = Fact::Hint(&corpus("sale_success").report);
    story.fact(hint, NOW);
    assert_eq!(poll_at(&story.payment), Some(NOW), "polled again, at once");
    answer(&mut story, 1, "sale_success");
    assert!(story.needs_recheck());
    assert_eq!(poll_at(&story.payment), Some(NOW));
    // A repeat changes nothing as long as the status request is due.
    assert_eq!(decide(Some(&story.payment), hint, NOW), None);
    story.poll_unanswered();
    let again = claim_poll(&story.payment, after(NOW), NOW);
    assert_eq!(again, None, "claimed once");
    answer(&mut story, 2, "sale_success");
    assert!(!story.needs_recheck());
    assert_eq!(poll_at(&story.payment), None);
}

#[test]
fn an_answer_about_another_payment_changes_nothing() {
    let mut story = contradicted();
    story.poll_unanswered();
    let of_another = edited("sale_success", |body| {
        body["payment"]["id"] = json!("another");
    });
    let fact = answer_with(&of_another, 1).unwrap();
    assert_eq!(decide(Some(&story.payment), fact, NOW), None);
    // "Not found" is noted, and settles nothing.
    let fact = Fact::NotFound {
        poll: 1,
        signed: true,
    };
    let noted = decide(Some(&story.payment), fact, NOW).unwrap();
    assert_eq!(noted.events, []);
    let polling = noted.payment.polling();
    assert_eq!(polling.last_not_found(), 1);
    assert!(polling.needs_recheck());
    let mut noted = Story {
        payment: noted.payment,
        events: Vec::new(),
    };
    assert_eq!(noted.outcome(), story.outcome());
    assert_eq!(noted.payment.sequence(), story.payment.sequence());
    assert_eq!(poll_at(&noted.payment), poll_at(&story.payment));
    assert_eq!(noted.status_answer(&of_another).kinds().len(), 0);
}

/// Its callback with the redirect URL may be lost.
#[test]
fn a_gate_sale_without_a_report_is_polled_after_twelve_seconds_and_then_by_the_schedule() {
    let seconds = |story: &Story| poll_at(&story.payment).unwrap().since(NOW).as_secs();
    let mut story = Story::created();
    story.sale_answer(&accepted("r"));
    assert_eq!(seconds(&story), 12);
    story.poll_unanswered();
    assert_eq!(seconds(&story), 12 + 60, "the first step of the schedule");
    story.poll_unanswered();
    assert_eq!(seconds(&story), 72 + 120);

    // Its answer brings the redirect URL.
    let mut story = Story::created();
    story.sale_answer(&accepted("r"));
    story.poll_unanswered();
    story.status_answer(corpus("redirect_get"));
    assert_eq!(story.payment.status(), Status::AwaitingCustomer);
    assert_eq!(seconds(&story), 72);

    // A report in time: 60 seconds, as usual.
    for report in ["redirect_get", "processing"] {
        let mut story = Story::created();
        story.sale_answer(&accepted("r")).callback(report);
        assert_eq!(seconds(&story), 60, "{report}");
    }

    // The next attempt has a redirect URL of its own.
    let mut story = Story::created();
    story.sale_answer(&accepted("7e08d48c4f5da3692b65e5426f44ed36896e569c"));
    story.poll_unanswered();
    story.callback("error_validation");
    assert_eq!(story.payment.status(), Status::Failed);
    let order = order();
    let retried = NOW.after(Duration::from_secs(100));
    story.run(payments::decide::Command::Retry { order: &order }, retried);
    story.fact(
        Fact::SaleAnswer {
            attempt: 1,
            answer: &accepted("r-2"),
        },
        retried,
    );
    assert_eq!(seconds(&story), 112);
    // A Payment Page link has none.
    let link = payments::model::Order {
        channel: payments::model::Channel::PaymentPage,
        ..order
    };
    assert_eq!(seconds(&Story::created_with(&link)), 60);
}
