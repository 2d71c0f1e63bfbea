//! Tests that each clarification request of the platform is answered once.

use ecommpay::answer::Answer;
use payments::model::{Payment, Waiting};
use payments::service::clarification::{ClarificationError, MAX_TRIES, clarify};
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
    let request = find(&payment);
    let sent = clarify(
        payments, gate, keyring, &payment, request, &answers, MAX_TRIES,
    );
    sent.await.map(drop)
}

/// Delivers a callback that requests a field, and sends the field three times. Gate gives no clear answer, then
/// refuses, then accepts.
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

/// Returns the callback of a sale that waits for data.
fn requesting(fields: &Value, minute: u32) -> Value {
    let sale = operation("7", "sale", "awaiting clarification", 1000);
    let mut body = callback(PAYMENT, "awaiting clarification", 1000, sale);
    for part in ["payment", "operation"] {
        body[part]["date"] = json!(format!("2019-07-02T11:{minute:02}:00+0000"));
    }
    // The date is older than the checkout, so only the request id shows that the sale is ours.
    body["operation"]["request_id"] = json!("r");
    body["clarification_fields"] = fields.clone();
    body
}

#[tokio::test]
async fn data_is_sent_twenty_times_until_the_platform_requests_other_fields() {
    let answers = [&[accepted("r")][..], &vec![refused("2004"); 30]].concat();
    let system = System::created(&answers).await;
    let find: Find = |payment| payment.clarification_request();
    let name = json!({ "customer": ["last_name"] });
    system.callback(&requesting(&name, 0)).await;
    for minute in 1..=20 {
        let sent = answer(&system, find, "customer.last_name").await;
        assert_matches!(sent, Err(ClarificationError::Refused(_)));
        system.callback(&requesting(&name, minute)).await;
    }
    let sent = answer(&system, find, "customer.last_name").await;
    assert_matches!(sent, Err(ClarificationError::TooManyTries));
    assert_eq!(system.platform.requests("clarification").len(), 20);

    let more = json!({ "customer": ["last_name", "email"] });
    system.callback(&requesting(&more, 30)).await;
    let sent = answer(&system, find, "customer.last_name").await;
    assert_matches!(sent, Err(ClarificationError::Refused(_)));
    assert_eq!(system.platform.requests("clarification").len(), 21);
}

#[tokio::test]
async fn parallel_answers_are_counted_one_by_one() {
    let answers = [&[accepted("r")][..], &vec![refused("2004"); 40]].concat();
    let system = System::created(&answers).await;
    let name = json!({ "customer": ["last_name"] });
    system.callback(&requesting(&name, 0)).await;
    let find: Find = |payment| payment.clarification_request();
    for _ in 0..15 {
        let send = || answer(&system, find, "customer.last_name");
        let (one, other) = tokio::join!(send(), send());
        assert!(one.is_err() && other.is_err());
    }
    assert_eq!(system.platform.requests("clarification").len(), 20);
}
