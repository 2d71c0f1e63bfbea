//! Clarifications: each request of the platform is answered once.

use ecommpay::answer::Answer;
use payments::events::EventKind;
use payments::model::{Payment, Waiting};
use payments::service::clarification::{ClarificationError, clarify};
use serde_json::{Value, json};

use super::system::*;
use crate::builders::reports::{callback, operation};
use crate::builders::*;

/// Returns the clarification request under test.
type Find = fn(&Payment) -> Option<&Waiting>;

async fn answer(system: &System, find: Find, field: &str) -> Result<(), ClarificationError> {
    let payment = system.payment(PAYMENT);
    let (payments, gate, keyring) = (&system.payments, &system.platform, &system.keyring);
    let answers = [(field.to_owned(), text("BE68539007547034"))];
    let sent = clarify(payments, gate, keyring, &payment, find(&payment), &answers);
    sent.await.map(drop)
}

fn dated(mut body: Value, date: &str) -> Value {
    body["payment"]["date"] = json!(date);
    body["operation"]["date"] = json!(date);
    body
}

/// Delivers a callback that requests a field, and answers it. Gate's answers are: unclear, refused, accepted.
async fn check_answers(system: &System, body: Value, find: Find, field: &str) {
    use ClarificationError::{NoAnswer, NotRequested, Refused};
    let is_requested = || find(&system.payment(PAYMENT)).is_some();
    let body = dated(body, "2027-01-15T08:01:00+0000");
    system.callback(&body).await;
    assert!(is_requested());
    let other = answer(system, find, "customer.email").await;
    assert!(matches!(other, Err(NotRequested)), "{other:?}");
    let unclear = answer(system, find, field).await;
    assert!(matches!(unclear, Err(NoAnswer)), "{unclear:?}");
    let refused = answer(system, find, field).await;
    assert!(matches!(&refused, Err(Refused(code)) if code == "2004"));
    assert!(is_requested());
    answer(system, find, field).await.unwrap();
    assert!(!is_requested());
    let again = answer(system, find, field).await;
    assert!(matches!(again, Err(NotRequested)), "{again:?}");
    assert_eq!(system.platform.requests("clarification").len(), 3);

    // A repeated callback requests nothing. A newer one does.
    system.callback(&body).await;
    assert!(!is_requested());
    system
        .callback(&dated(body, "2027-01-15T08:01:05+0000"))
        .await;
    assert!(is_requested());
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
    assert_eq!(
        system.count_sent(EventKind::PaymentAwaitingClarification),
        2
    );
}

#[tokio::test]
async fn each_clarification_request_of_a_refund_is_answered_once() {
    let answers = [
        accepted("r"),
        accepted("r-1"),
        Answer::Unclear,
        refused("2004"),
    ];
    let system = System::paid(&answers).await;
    system.refund_order("r-1", 400).await.unwrap();
    let refund = operation("8", "refund", "awaiting clarification", 400);
    let mut body = callback(PAYMENT, "success", 1000, refund);
    body["payment"]["merchant_refund_id"] = json!("r-1");
    body["clarification_fields"] = json!({ "account": ["number"] });
    let find: Find = |payment| payment.clarification_request_of(&payment.refunds()[0]);
    check_answers(&system, body, find, "account.number").await;
    // The first event is about the reservation.
    assert_eq!(system.count_sent(EventKind::RefundPending), 3);
}
