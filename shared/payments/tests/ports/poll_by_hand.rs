//! Tests status polls that an operator starts by hand. These polls do not change the schedule.

use payments::events::EventKind;
use payments::model::Status;
use payments::service::status_poll::{Found, PollError, PollResult};
use serde_json::json;

use super::system::*;
use crate::builders::reports::{operation, sign, status_answer};
use crate::builders::*;

async fn poll_now(system: &System, answer: String) -> Result<PollResult, PollError> {
    system.platform.answer_status(answer);
    system.poller().poll_now(&key(PAYMENT)).await
}

#[tokio::test]
async fn a_poll_by_hand_does_not_move_the_schedule() {
    let system = System::created(&[]).await;
    let planned = system.poll_at();
    system.poller().poll_now(&key(PAYMENT)).await.unwrap_err();
    assert_eq!(system.poll_at(), planned);
    let polled = poll_now(&system, paid_answer(&[])).await.unwrap();
    assert_eq!(polled.before.unwrap().status(), Status::Processing);
    assert_eq!(polled.payment.unwrap().status(), Status::Succeeded);
    assert_eq!(polled.found, Found::Operations);
    assert_eq!(polled.published, [EventKind::PaymentSucceeded]);
    assert_eq!(system.poll_at(), None);
}

#[tokio::test]
async fn a_poll_by_hand_updates_a_closed_payment_and_leaves_it_closed() {
    let system = System::paid(&[]).await;
    assert_eq!(system.poll_at(), None);
    let same = poll_now(&system, paid_answer(&[])).await.unwrap();
    assert_eq!((same.found, same.published.len()), (Found::Operations, 0));
    assert_eq!(system.poll_at(), None);
    // The callback about a refund from the Dashboard was lost.
    system.pass(90 * DAY);
    let refund = operation("8", "refund", "success", 400);
    let polled = poll_now(&system, paid_answer(&[refund])).await.unwrap();
    assert_eq!(polled.published, [EventKind::RefundSucceeded]);
    let payment = polled.payment.unwrap();
    assert_eq!(payment.status(), Status::PartiallyRefunded);
    assert_eq!(payment.polling().polls_sent(), 2);
}

#[tokio::test]
async fn a_poll_by_hand_adds_an_unknown_payment_only_if_the_platform_has_the_payment() {
    let system = System::empty();
    let not_found = |payment_id: &str| {
        json!({
            "project_id": 211, "payment": { "id": payment_id, "status": "error" },
            "errors": [{ "code": "3061" }],
        })
    };
    let other_payment = status_answer(
        "order-2",
        "success",
        1000,
        &[operation("7", "sale", "success", 1000)],
    );
    for (answer, found) in [
        (sign(&not_found(PAYMENT), SECRET), Found::Nothing),
        (not_found(PAYMENT).to_string(), Found::Nothing),
        (sign(&not_found("order-2"), SECRET), Found::Unclear),
        (sign(&other_payment, SECRET), Found::Unclear),
    ] {
        let polled = poll_now(&system, answer).await.unwrap();
        assert_eq!((polled.found, polled.payment), (found, None));
    }
    let tampered = paid_answer(&[]).replace("ORDER-1", "ORDER-2");
    assert_matches!(poll_now(&system, tampered).await, Err(PollError::NotSigned));
    assert!(system.tables().payments.is_empty());

    let polled = poll_now(&system, paid_answer(&[])).await.unwrap();
    assert!(polled.before.is_none());
    let payment = polled.payment.unwrap();
    assert_eq!(payment.status(), Status::Unmatched);
    assert_eq!(payment.paid_amount(), 1000);
    assert_eq!(polled.published, [EventKind::PaymentUnmatched]);
    let again = poll_now(&system, paid_answer(&[])).await.unwrap();
    assert_eq!((again.found, again.published.len()), (Found::Operations, 0));
    assert_eq!(system.poll_at(), None);
}
