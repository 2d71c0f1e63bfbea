//! Tests status polls: which answers count, and which requests follow from the answers.

use ecommpay::answer::Answer;
use payments::events::EventKind;
use payments::model::schedule::Next;
use payments::model::{Payment, Status};
use payments::service::status_poll::PollError;
use serde_json::{Value, json};

use super::system::*;
use crate::builders::reports::{euros, operation, sign, status_answer};
use crate::builders::*;

/// Returns the two forms of an answer with this code: with the payment, and without the payment.
fn both_forms(code: &str) -> [Value; 2] {
    let payment = json!({ "id": PAYMENT, "status": "error" });
    [
        json!({ "project_id": 211, "payment": payment, "errors": [{ "code": code }] }),
        json!({ "status": "error", "code": code, "message": "no" }),
    ]
}

/// Returns each body once signed and once unsigned.
fn signed_and_unsigned(bodies: [Value; 2]) -> impl Iterator<Item = String> {
    let both = |body: Value| [sign(&body, SECRET), body.to_string()];
    bodies.into_iter().flat_map(both)
}

/// Returns the stored payment without the fields that each status request changes.
fn without_polls(payment: &Payment) -> Value {
    let mut document = serde_json::to_value(payment).unwrap();
    for name in ["polls_sent", "polls_since_activity", "last_activity_at"] {
        document["polling"].as_object_mut().unwrap().remove(name);
    }
    let attempt = document["attempt"].as_object_mut().unwrap();
    attempt.remove("polled_for_redirect");
    document["updated_at"] = json!(null);
    document
}

/// Creates a payment whose sale request got no clear answer from Gate.
async fn lost_sale() -> System {
    System::created(&[Answer::Unclear]).await
}

#[tokio::test]
async fn an_answer_counts_only_if_it_is_signed_and_about_the_payment() {
    let system = System::created(&[]).await;
    let poll = |answer: &str| system.poll(Some(answer.to_owned()));
    assert_matches!(system.poll(None).await, Err(PollError::NoAnswer(_)));
    let paid = |payment_id| {
        let sale = operation("7", "sale", "success", 1000);
        status_answer(payment_id, "success", 1000, &[sale])
    };
    let signed = sign(&paid("ORDER-1"), SECRET);
    assert_matches!(
        poll(&paid("ORDER-1").to_string()).await,
        Err(PollError::NotSigned)
    );
    assert_matches!(poll(&signed[..90]).await, Err(PollError::NotValid(_)));
    let about_another = poll(&sign(&paid("order-2"), SECRET)).await;
    assert_eq!(about_another.unwrap(), []);
    assert_eq!(system.status(), Status::Processing);
    assert_eq!(poll(&signed).await.unwrap(), [EventKind::PaymentSucceeded]);
    assert_eq!(system.status(), Status::Succeeded);
    assert_eq!(system.payment(PAYMENT).polling().polls_sent(), 5);
    assert_eq!(system.poll_at(), None);
    let closed = system.poller().poll(&key(PAYMENT), system.now()).await;
    assert_eq!(closed.unwrap(), []);
    assert_eq!(system.polls().len(), 5);
}

#[tokio::test]
async fn a_sale_is_sent_again_when_the_platform_does_not_know_the_payment() {
    for answer in signed_and_unsigned(both_forms("3061")) {
        let system = System::created(&[Answer::Unclear, accepted("second")]).await;
        system.poll(Some(answer.clone())).await.unwrap();
        assert_eq!(system.sales(), 2, "{answer}");
        let payment = system.payment(PAYMENT);
        assert_eq!(payment.attempt().request().request_id(), Some("second"));
        // After Gate accepted the repeated sale, the same answer does not cause another repeat.
        system.poll(Some(answer)).await.unwrap();
        assert_eq!(system.sales(), 2);
        assert_eq!(system.status(), Status::Processing);
    }
}

#[tokio::test]
async fn an_unused_link_fails_after_its_expiry_if_the_platform_does_not_know_the_payment() {
    let system = System::with_link().await;
    let order = system.payment(PAYMENT).order().unwrap().clone();
    let end = order
        .expires_at
        .after(system.payments.schedule.checkout_grace);
    let [_, not_found] = both_forms("3061");
    while system.status() != Status::Failed {
        assert!(system.poll_at().unwrap() <= end);
        system.poll(Some(not_found.to_string())).await.unwrap();
    }
    assert_eq!(system.now(), end);
    assert_eq!(system.sent().last().unwrap(), "3 payment.failed");
}

#[tokio::test]
async fn code_3062_is_an_error_and_changes_nothing() {
    for answer in signed_and_unsigned(both_forms("3062")) {
        let paid = System::paid(&[]).await;
        paid.recheck(211, PAYMENT).await;
        for system in [System::with_link().await, paid, lost_sale().await] {
            let before = without_polls(&system.payment(PAYMENT));
            let (due, sales) = (system.poll_at(), system.sales());
            assert_matches!(
                system.poll(Some(answer.clone())).await,
                Err(PollError::NotReadable)
            );
            assert_eq!(without_polls(&system.payment(PAYMENT)), before, "{answer}");
            assert_eq!(system.sales(), sales, "{answer}");
            assert!(system.poll_at() > due, "no later poll is planned");
        }
    }
}

/// Only an answer without any signature counts as unsigned.
#[tokio::test]
async fn an_answer_with_a_wrong_signature_is_rejected_whatever_its_code() {
    let not_found = both_forms("3061").into_iter();
    for body in not_found.chain(both_forms("3062")) {
        let with = |signature: Value| {
            let mut body = body.clone();
            body["signature"] = signature;
            body
        };
        let mut general = body.clone();
        general["general"] = json!({ "signature": "abcd" });
        let tampered = sign(&body, SECRET).replace("error", "errors");
        for answer in [
            with(json!("")).to_string(),
            with(json!(null)).to_string(),
            with(json!("abcd")).to_string(),
            general.to_string(),
            sign(&body, "another key"),
            tampered,
        ] {
            let system = lost_sale().await;
            let before = without_polls(&system.payment(PAYMENT));
            assert_matches!(
                system.poll(Some(answer.clone())).await,
                Err(PollError::NotSigned)
            );
            assert_eq!(without_polls(&system.payment(PAYMENT)), before, "{answer}");
            assert_eq!(system.sales(), 1, "{answer}");
        }
    }
}

#[tokio::test]
async fn a_not_found_about_another_payment_or_project_changes_nothing() {
    let [body, _] = both_forms("3061");
    let (mut other_payment, mut other_project) = (body.clone(), body);
    other_payment["payment"]["id"] = json!("order-2");
    other_project["project_id"] = json!(212);
    for answer in signed_and_unsigned([other_payment, other_project]) {
        let system = lost_sale().await;
        assert_eq!(system.poll(Some(answer.clone())).await.unwrap(), []);
        assert_eq!(system.payment(PAYMENT).polling().last_not_found(), 0);
        assert_eq!(system.sales(), 1, "{answer}");
    }
}

/// Returns a report with a sale that waits for the redirect to the bank. The redirect URL can be missing.
fn awaiting_redirect(has_redirect: bool) -> Value {
    let sale = json!({
        "id": 7, "type": "sale", "status": "awaiting redirect result",
        "date": "2027-01-15T08:00:01+0000", "sum_initial": euros(1000),
    });
    let mut body = status_answer(PAYMENT, "awaiting redirect result", 1000, &[sale]);
    if has_redirect {
        let url = "https://bank.example/";
        body["redirect_data"] = json!({ "method": "GET", "url": url, "body": [] });
    }
    body
}

#[tokio::test]
async fn an_answer_that_lacks_the_redirect_url_is_logged_once() {
    let this = "polls::an_answer_that_lacks_the_redirect_url_is_logged_once";
    if let Some(lines) = log_lines_of(this) {
        let is_lost = |line: &&Value| line["message"] == "redirect_lost";
        let lost: Vec<_> = lines.iter().filter(is_lost).collect();
        assert_eq!(lost.len(), 1, "{lost:#?}");
        assert_eq!(lost[0]["level"], "WARN");
        assert_eq!(lost[0]["payment"], "211/order-1");
        assert_eq!(lost[0]["redirect_lost"], 1, "the value of the metric");
        return;
    }
    let poll = async |system: &System, has_redirect| {
        let answer = sign(&awaiting_redirect(has_redirect), SECRET);
        system.poll(Some(answer)).await.unwrap();
        system.payment(PAYMENT).is_redirect_missing()
    };
    let with_redirect = System::created(&[]).await;
    assert!(!poll(&with_redirect, true).await);
    assert_eq!(with_redirect.status(), Status::AwaitingCustomer);

    let system = System::created(&[]).await;
    assert!(!system.payment(PAYMENT).is_redirect_missing());
    for _ in 0..2 {
        assert!(poll(&system, false).await);
    }
    assert_eq!(system.status(), Status::Processing);
    system.callback(&awaiting_redirect(true)).await;
    assert!(!system.payment(PAYMENT).is_redirect_missing());
}

/// A callback with this value would be only a hint.
#[tokio::test]
async fn a_signed_answer_is_a_fact_even_if_a_value_has_the_separators_of_the_signature() {
    let system = System::created(&[]).await;
    let sale = operation("7", "sale", "success", 1000);
    let mut answer = status_answer(PAYMENT, "success", 1000, &[sale]);
    answer["payment"]["description"] = json!("x;payment:status:decline");
    let events = system.poll(Some(sign(&answer, SECRET))).await.unwrap();
    assert_eq!(events, [EventKind::PaymentSucceeded]);
    assert_eq!(system.status(), Status::Succeeded);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_skipped_and_logged() {
    let test = "polls::an_answer_that_is_too_large_is_skipped_and_logged";
    if let Some(lines) = log_lines_of(test) {
        let is_limit = |line: &&Value| line["over_limit"] == 1;
        let limits: Vec<&Value> = lines.iter().filter(is_limit).collect();
        assert_eq!(limits.len(), 2, "{lines:?}");
        assert_eq!(limits[0]["limit"], "status_answer");
        assert_eq!(limits[0]["payment"], "211/order-1");
        return;
    }
    let system = System::created(&[]).await;
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat(4 * 1_024 * 1_024));
    let keys: Vec<String> = (0..100_001).map(|key| format!("\"{key}\":1")).collect();
    let many_keys = format!("{{{}}}", keys.join(","));
    for answer in [large, many_keys] {
        assert!(system.poll(Some(answer)).await.unwrap().is_empty());
    }
    assert!(system.poll_at().is_some(), "no further poll is planned");
    assert!(system.sale_succeeds().await);
    assert_eq!(system.status(), Status::Succeeded);
}

/// Ids that cannot be signed. Another system of the project can choose such ids.
const UNSIGNABLE: [&str; 4] = ["woo;1", "woo\n1", "\u{0}", "\u{85}"];

#[tokio::test]
async fn a_payment_whose_id_cannot_be_signed_is_never_polled_and_is_overdue_after_31_days() {
    let test =
        "polls::a_payment_whose_id_cannot_be_signed_is_never_polled_and_is_overdue_after_31_days";
    if let Some(lines) = log_lines_of(test) {
        let is_counted = |line: &&Value| line["not_pollable"] == 1;
        let counted: Vec<&Value> = lines.iter().filter(is_counted).collect();
        let named: Vec<&Value> = counted.iter().map(|line| &line["payment"]).collect();
        assert_eq!(
            json!(named),
            json!(UNSIGNABLE.map(|id| format!("211/{id}")))
        );
        return;
    }
    for id in UNSIGNABLE {
        let system = System::empty();
        let key = key(id);
        let next = || system.tables().next.get(&key).copied();
        let overdue = Some(Next::Overdue(system.now().after(31 * DAY)));
        for _ in 0..2 {
            system.recheck(211, id).await;
            assert_eq!(next(), overdue);
            system.pass(DAY);
        }
        // Even a planned poll sends no request.
        let planned = Next::Poll(system.now());
        system.tables().next.insert(key.clone(), planned);
        let run = system.hand_out_polls(in_a_minute()).await;
        assert_eq!((run.found, run.handed_out), (1, 1));
        let worked = system.work_all(in_a_minute()).await;
        assert_eq!((worked.done, worked.failed), (1, 0));
        assert_eq!(next(), overdue);
        assert!(system.polls().is_empty());
    }
}
