//! What the platform is asked, and what its signed answers settle.

use std::time::Duration;

use payments::callback::Verified;
use payments::decide::{Fact, decide};
use payments::model::{Payment, Status};
use serde_json::json;

use super::story::*;

#[test]
fn what_a_signed_answer_says_is_the_end() {
    let mut story = Story::begin();
    story.hear("sale_success").hear("sale_decline_customer");
    assert!(story.is_doubtful(), "a contradiction is asked about");
    story.ask("sale_success");
    assert!(!story.is_doubtful());
    assert_eq!(ask_at(&story.payment), None, "nothing is open");
    story.hear("sale_decline_limit");
    assert!(!story.is_doubtful(), "the answer stands");
    assert_eq!(story.payment.status(), Status::Succeeded);

    let mut story = Story::begin();
    story.hear("sale_success").hear("sale_decline_customer");
    story.ask("sale_decline_customer");
    assert_eq!(story.payment.status(), Status::Declined);
    assert_eq!(
        story.kinds(),
        ["payment.created", "payment.succeeded", "payment.declined"]
    );

    // An answer that is not what was ordered settles nothing in the shopper's favour.
    let mut story = Story::begin();
    story.hear("sale_success").hear("sale_decline_customer");
    story.ask("amount_differs");
    assert_eq!(story.payment.status(), Status::Quarantined);

    // Money that comes after the platform has denied it is asked about.
    let mut story = Story::begin();
    story.ask("sale_decline_customer");
    assert!(!story.is_doubtful());
    story.hear("sale_success");
    assert!(story.is_doubtful());
    assert_eq!(ask_at(&story.payment), Some(NOW));

    // Two sales: the answer may say that one of them was none.
    let mut story = Story::begin();
    story.hear("sale_success").hear("success_after_decline");
    assert_eq!(story.payment.status(), Status::Quarantined);
    assert!(story.is_doubtful());
    story.ask("sale_decline_customer");
    assert_eq!(story.payment.status(), Status::Succeeded);
}

/// A contradiction about an operation that the platform's answers do not list.
#[test]
fn what_an_answer_does_not_settle_is_asked_again_in_its_time_and_not_for_ever() {
    let mut story = Story::begin();
    story.hear("sale_success").hear("sale_decline_customer");
    let answer = corpus("success_after_decline");
    let mut asked = Vec::new();
    while let Some(due) = ask_at(&story.payment) {
        assert!(asked.len() < 100, "asked for ever");
        story.take(claim_check(&story.payment, after(due), due));
        asked.push(due.since(NOW).as_secs());
        let fact = Fact::StatusAnswer {
            news: answer.news(),
            question: story.payment.questions,
        };
        story.take(decide(Some(&story.payment), fact, due));
        assert!(story.payment.doubted.is_some());
    }
    assert_eq!(asked[..5], [0, 120, 420, 1_320, 4_920]);
    assert_eq!(asked.last(), Some(&(31 * 86_400)));
    assert_eq!(asked.len(), 37);
}

#[test]
fn any_money_explains_a_payment_that_was_made_elsewhere() {
    let confirmation = corpus("payment_confirmation");
    let heard = decide(None, confirmation.fact(), NOW).unwrap().payment;
    let due = ask_at(&heard).unwrap();
    let asked = claim_check(&heard, after(due), due).unwrap().payment;
    let fact = Fact::StatusAnswer {
        news: confirmation.news(),
        question: asked.questions,
    };
    let answered = decide(Some(&asked), fact, due).unwrap().payment;
    assert_eq!(answered.doubted, None);
    assert_eq!(answered.status(), Status::Unmatched);
    assert_eq!(ask_at(&answered), None);
}

#[test]
fn a_doubt_is_asked_about_as_often_as_something_new() {
    let mut story = Story::begin();
    story.answered(&accepted("r"));
    let mut now = NOW;
    for _ in 0..5 {
        now = ask_at(&story.payment).unwrap();
        story.take(claim_check(&story.payment, after(now), now));
    }
    assert_eq!(
        ask_at(&story.payment),
        Some(now.after(Duration::from_secs(6 * 3600)))
    );
    story.take(decide(
        Some(&story.payment),
        Fact::Hint(&corpus("sale_success").report),
        now,
    ));
    assert_eq!(ask_at(&story.payment), Some(now));
    // The question gets no answer.
    story.take(claim_check(&story.payment, after(now), now));
    assert_eq!(
        ask_at(&story.payment),
        Some(now.after(Duration::from_secs(120)))
    );
}

#[test]
fn an_answer_settles_only_what_was_heard_before_the_question() {
    let contradicted = || {
        let mut story = Story::begin();
        story.hear("sale_success").hear("sale_decline_customer");
        story
    };
    let answer = |story: &mut Story, question, file: &str| {
        let news = corpus(file).news();
        let fact = Fact::StatusAnswer { news, question };
        let change = decide(Some(&story.payment), fact, NOW);
        story.take(change);
    };
    // A hint comes while the answer is on its way.
    let mut story = contradicted();
    story.take(claim_check(&story.payment, after(NOW), NOW));
    assert_eq!(story.payment.questions, 1);
    let hint = decide(
        Some(&story.payment),
        Fact::Hint(&corpus("sale_success").report),
        NOW,
    );
    story.take(hint);
    assert_eq!(
        ask_at(&story.payment),
        Some(NOW),
        "asked once more, at once"
    );
    answer(&mut story, 1, "sale_success");
    assert!(story.is_doubtful());
    assert_eq!(ask_at(&story.payment), Some(NOW));
    // A repeat of it is no news as long as the question is due.
    let again = Fact::Hint(&corpus("sale_success").report);
    assert_eq!(decide(Some(&story.payment), again, NOW), None);
    story.take(claim_check(&story.payment, after(NOW), NOW));
    assert_eq!(
        claim_check(&story.payment, after(NOW), NOW),
        None,
        "claimed once"
    );
    answer(&mut story, 2, "sale_success");
    assert!(!story.is_doubtful());
    assert_eq!(ask_at(&story.payment), None);

    // Other payments' answers answer nothing; that it was not found is only noted.
    let mut story = contradicted();
    story.take(claim_check(&story.payment, after(NOW), NOW));
    let take = |payment: &Payment, no_answer: &Verified| {
        let news = no_answer.news();
        let fact = Fact::StatusAnswer { news, question: 1 };
        decide(Some(payment), fact, NOW)
    };
    let of_another = edited("sale_success", |body| {
        body["payment"]["id"] = json!("another");
    });
    assert_eq!(take(&story.payment, &of_another), None);
    let noted = take(&story.payment, &unknown_to_the_platform("3061")).unwrap();
    assert_eq!(noted.events, []);
    let expected = Payment {
        not_found: 1,
        ..story.payment
    };
    assert_eq!(noted.payment, expected);
}
