//! The end of a checkout while its payment is undecided.

use std::time::Duration;

use payments::decide::Command;
use payments::model::schedule::{Next, Schedule};
use payments::model::{CheckoutState, Status};

use super::story::*;

fn is_planned(story: &Story) -> bool {
    let next = Schedule::default().next(&story.payment);
    matches!(next, Some(Next::Expire(at)) if at == order().expires_at)
}

/// An undecided payment whose status requests of the first 30 minutes were sent.
fn undecided(files: &[&str]) -> Story {
    let mut story = Story::created();
    story.sale_answer(&accepted("r"));
    for file in files {
        story.callback(file);
    }
    while poll_at(&story.payment).unwrap() < order().expires_at {
        story.poll_unanswered();
    }
    story
}

#[test]
fn a_checkout_that_ends_undecided_is_emitted_once() {
    let end = order().expires_at;
    let early = end.before(Duration::from_millis(1));
    for files in [
        &[][..],
        &["processing"],
        &["redirect_get"],
        &["clarification_last_name"],
    ] {
        let mut story = undecided(files);
        assert!(is_planned(&story), "{files:?}");
        let payment = &story.payment;
        let state = |at| story.payment.checkout_state(at);
        assert_eq!(state(early), Some(CheckoutState::Open), "{files:?}");
        assert_eq!(state(end), Some(CheckoutState::Expired), "{files:?}");
        assert_eq!(
            run(Some(payment), Command::Expire, early),
            None,
            "{files:?}"
        );
        let status = payment.status();
        story.run(Command::Expire, end);
        assert_eq!(story.kinds().last(), Some(&"checkout.expired"));
        let data = story.last_data();
        assert_eq!(data["checkout"], "expired", "{files:?}");
        assert_eq!(data["status"], serde_json::to_value(status).unwrap());
        assert_eq!(
            run(Some(&story.payment), Command::Expire, end),
            None,
            "once"
        );
        assert!(!is_planned(&story), "{files:?}");
        assert_eq!(story.payment.status(), status, "still undecided: {files:?}");
        assert!(poll_at(&story.payment).is_some(), "still polled: {files:?}");
    }
}

#[test]
fn money_after_the_end_of_the_checkout_is_late() {
    let mut story = undecided(&["redirect_get"]);
    story.run(Command::Expire, order().expires_at);
    story.callback("sale_success");
    assert_eq!(story.payment.status(), Status::Succeeded);
    let data = story.last_data();
    assert_eq!(data["late"], true);
    assert_eq!(data["checkout"], "expired", "it stays so");
    // Money in time is not late.
    let mut story = Story::created();
    story.callback("sale_success");
    let data = story.last_data();
    assert_eq!(
        (&data["late"], &data["checkout"]),
        (&().into(), &"done".into())
    );
}

#[test]
fn a_decided_payment_does_not_expire() {
    let end = order().expires_at;
    for (file, status) in [
        ("sale_success", Status::Succeeded),
        ("amount_differs", Status::Quarantined),
        ("sale_decline_customer", Status::Declined),
        ("confirm_sale_done", Status::AwaitingConfirmation),
    ] {
        let mut story = Story::created();
        story.callback(file);
        assert_eq!(story.payment.status(), status);
        assert!(!is_planned(&story), "{file}");
        assert_eq!(
            run(Some(&story.payment), Command::Expire, end),
            None,
            "{file}"
        );
        let state = story.payment.checkout_state(end);
        assert_eq!(state, Some(CheckoutState::Done), "{file}");
    }
    let mut failed = Story::created();
    failed.sale_answer(&refused("2004"));
    assert_eq!(run(Some(&failed.payment), Command::Expire, end), None);
    let state = failed.payment.checkout_state(end);
    assert_eq!(state, Some(CheckoutState::Done));
}

#[test]
fn an_expired_checkout_stays_expired_when_its_payment_is_declined() {
    let mut story = undecided(&["redirect_get"]);
    story.run(Command::Expire, order().expires_at);
    story.callback("sale_decline_customer");
    assert_eq!(story.payment.status(), Status::Declined);
    assert_eq!(story.last_data()["checkout"], "expired");
    assert_eq!(story.kinds().last(), Some(&"payment.declined"));
}
