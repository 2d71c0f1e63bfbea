//! Tests the expiry of a checkout whose payment is undecided.

use std::time::Duration;

use payments::decide::Command;
use payments::model::schedule::Next;
use payments::model::{CheckoutState, Status};
use serde_json::json;

use crate::fixtures::*;

fn is_planned(payment: &TestPayment) -> bool {
    next(payment) == Some(Next::Expire(order().expires_at))
}

fn can_expire(payment: &TestPayment) -> bool {
    change_of(Some(payment), Command::Expire, order().expires_at).is_some()
}

/// Returns an undecided payment. The status polls that are due before its checkout expires are unanswered.
fn undecided(files: &[&str]) -> TestPayment {
    let mut payment = TestPayment::accepted();
    for file in files {
        payment.callback(file);
    }
    while poll_at(&payment).unwrap() < order().expires_at {
        payment.poll_unanswered();
    }
    payment
}

fn expired(files: &[&str]) -> TestPayment {
    let mut payment = undecided(files);
    payment.execute(Command::Expire, order().expires_at);
    payment
}

#[test]
fn the_expiry_of_an_undecided_checkout_is_emitted_once_and_changes_no_status() {
    let end = order().expires_at;
    let early = end.before(Duration::from_millis(1));
    for files in [
        &[][..],
        &["processing"],
        &["redirect_get"],
        &["clarification_last_name"],
    ] {
        let mut payment = undecided(files);
        assert!(is_planned(&payment), "{files:?}");
        let state = |at| payment.checkout_state(at);
        assert_eq!(state(early), Some(CheckoutState::Open), "{files:?}");
        assert_eq!(state(end), Some(CheckoutState::Expired), "{files:?}");
        let too_early = change_of(Some(&payment), Command::Expire, early);
        assert_eq!(too_early, None, "{files:?}");
        let status = payment.status();
        payment.execute(Command::Expire, end);
        assert_eq!(payment.last_kind(), "checkout.expired");
        let data = payment.last_data();
        assert_eq!(data["checkout"], "expired", "{files:?}");
        assert_eq!(data["status"], json!(status), "{files:?}");
        assert!(!can_expire(&payment) && !is_planned(&payment), "{files:?}");
        assert_eq!(payment.status(), status, "{files:?}");
        assert!(poll_at(&payment).is_some(), "{files:?}");
    }
}

#[test]
fn a_success_is_late_only_after_the_expiry_was_emitted() {
    let mut payment = expired(&["redirect_get"]);
    payment.callback("sale_success");
    assert_eq!(payment.status(), Status::Succeeded);
    let data = payment.last_data();
    assert_eq!(
        (&data["late"], &data["checkout"]),
        (&json!(true), &json!("expired"))
    );

    let data = TestPayment::paid().last_data();
    assert_eq!(
        (&data["late"], &data["checkout"]),
        (&json!(null), &json!("done"))
    );
}

#[test]
fn the_checkout_of_a_decided_payment_does_not_expire() {
    let mut failed = TestPayment::created();
    failed.sale_answer(&refused("2004"));
    let decided = |file: &str| TestPayment::with_callbacks(&[file]);
    for (payment, status) in [
        (failed, Status::Failed),
        (decided("sale_success"), Status::Succeeded),
        (decided("amount_differs"), Status::Quarantined),
        (decided("sale_decline_customer"), Status::Declined),
        (decided("confirm_sale_done"), Status::AwaitingConfirmation),
    ] {
        assert_eq!(payment.status(), status);
        assert!(!is_planned(&payment) && !can_expire(&payment), "{status:?}");
        let state = payment.checkout_state(order().expires_at);
        assert_eq!(state, Some(CheckoutState::Done), "{status:?}");
    }
}

#[test]
fn an_expired_checkout_stays_expired_when_its_payment_is_declined() {
    let mut payment = expired(&["redirect_get"]);
    payment.callback("sale_decline_customer");
    assert_eq!(payment.status(), Status::Declined);
    assert_eq!(payment.last_data()["checkout"], "expired");
    assert_eq!(payment.last_kind(), "payment.declined");
}

#[test]
fn a_payment_whose_checkout_expired_gets_no_next_attempt() {
    for has_expired in [false, true] {
        let mut payment = TestPayment::created();
        payment.sale_answer(&accepted(REQUEST));
        payment.callback("redirect_get");
        let end = order().expires_at;
        if has_expired {
            payment.execute(Command::Expire, end);
        }
        payment.callback("error_validation");
        assert_eq!(payment.status(), Status::Failed);
        let order = payment.order().unwrap().clone();
        let next = change_of(Some(&payment), Command::Retry { order: &order }, end);
        assert_eq!(next.is_none(), has_expired);
    }
}

/// `checkout.expired` shows the declined payment as open again, so the next decline has an event again.
#[test]
fn a_payment_that_is_declined_again_after_its_expiry_has_an_event_again() {
    let confirmation = |file, second: u32| {
        edited(file, |body| {
            let date = json!(format!("2026-07-02T09:28:{second:02}+0000"));
            body["payment"]["date"] = date.clone();
            body["operation"]["date"] = date;
        })
    };
    let mut payment = TestPayment::accepted();
    payment.deliver(&confirmation("confirm_decline", 1));
    assert_eq!(payment.status(), Status::Declined);
    payment.deliver(&confirmation("confirm_success", 2));
    assert_eq!(payment.status(), Status::Processing);
    payment.execute(Command::Expire, order().expires_at);
    assert_eq!(payment.last_kind(), "checkout.expired");
    payment.deliver(&confirmation("confirm_decline", 3));
    assert_eq!(payment.status(), Status::Declined);
    assert_eq!(payment.last_kind(), "payment.declined");
}
