//! Tests clarifications: each request of the platform is answered once.

use ecommpay::answer::Answer;
use payments::model::{Payment, Waiting};
use payments::service::clarification::{ClarificationError, clarify};
use serde_json::{Value, json};

use super::system::*;
use crate::builders::reports::{callback, operation};
use crate::builders::*;

/// Finds the clarification request under test in a payment.
type Find = fn(&Payment) -> Option<&Waiting>;

async fn answer(system: &System, find: Find, field: &str) -> Result<(), ClarificationError> {
    let payment = system.payment(PAYMENT);
    let (payments, gate, keyring) = (&system.payments, &system.platform, &system.keyring);
    let answers = [(field.to_owned(), text("BE68539007547034"))];
    let sent = clarify(payments, gate, keyring, &payment, find(&payment), &answers);
    sent.await.map(drop)
}

/// Delivers a callback that requests a field, and sends the field three times. Gate's answers are unclear, refused and
/// accepted.
async fn check_answers(system: &System, body: Value, find: Find, field: &str) {
    use ClarificationError::{NoAnswer, NotRequested, Refused};
    let is_requested = || find(&system.payment(PAYMENT)).is_some();
    system.callback(&body).await;
    assert_matches!(
        answer(system, find, "customer.email").await,
        Err(NotRequested)
    );
    assert_matches!(answer(system, find, field).await, Err(NoAnswer));
    let refused = answer(system, find, field).await;
    assert_matches!(refused, Err(Refused(code)) if code == "2004");
    assert!(is_requested());
    answer(system, find, field).await.unwrap();
    assert!(!is_requested());
    assert_matches!(answer(system, find, field).await, Err(NotRequested));
    assert_eq!(system.platform.requests("clarification").len(), 3);
}

#[tokio::test]
async fn each_clarification_request_of_a_sale_is_answered_once() {
    let answers = [accepted("r"), Answer::Unclear, refused("2004")];
    let system = System::created(&answers).await;
    let sale = operation("7", "sale", "awaiting clarification", 1000);
    let mut body = callback(PAYMENT, "awaiting clarification", 1000, sale);
    body["clarification_fields"] = json!({ "customer": ["last_name"] });
    let find: Find = |payment| payment.clarification_request();
    check_answers(&system, body, find, "customer.last_name").await;
}

#[tokio::test]
async fn each_clarification_request_of_a_refund_is_answered_once() {
    let to_clarification = [Answer::Unclear, refused("2004")];
    let answers = [&[accepted("r"), accepted("r-1")], &to_clarification[..]].concat();
    let system = System::paid(&answers).await;
    system.refund_order("r-1", 400).await.unwrap();
    let refund = operation("8", "refund", "awaiting clarification", 400);
    let mut body = callback(PAYMENT, "success", 1000, refund);
    body["payment"]["merchant_refund_id"] = json!("r-1");
    body["clarification_fields"] = json!({ "account": ["number"] });
    let find: Find = |payment| payment.clarification_request_of(&payment.refunds()[0]);
    check_answers(&system, body, find, "account.number").await;
}
