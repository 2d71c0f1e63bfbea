//! Status requests that an operator sends, whatever the schedule says.

use std::time::Duration;

use payments::events::EventKind;
use payments::model::Status;
use payments::service::status_poll::{Found, PollError, PollResult};

use super::stage::*;

async fn poll_now(world: &World, answer: String) -> Result<PollResult, PollError> {
    world.gate.answer_next(answer);
    world.poller().poll_now(&key()).await
}

#[tokio::test]
async fn a_poll_by_hand_leaves_the_schedule_as_it_was() {
    let world = World::new();
    world.create(&shop("shop"), 1000).await.unwrap();
    let planned = world.poll_at().await;
    assert!(world.poller().poll_now(&key()).await.is_err(), "silence");
    assert_eq!(world.poll_at().await, planned);
    let asked = poll_now(&world, status_answer("")).await.unwrap();
    assert_eq!(asked.before.unwrap().status(), Status::Processing);
    assert_eq!(asked.payment.unwrap().status(), Status::Succeeded);
    assert_eq!(asked.found, Found::Operations);
    assert_eq!(asked.published, [EventKind::PaymentSucceeded]);
    assert_eq!(world.poll_at().await, None);
}

#[tokio::test]
async fn a_poll_by_hand_of_a_closed_payment_leaves_it_closed() {
    let world = World::paid(&[]).await;
    assert_eq!(world.poll_at().await, None);
    let same = poll_now(&world, status_answer("")).await.unwrap();
    assert_eq!((same.found, same.published.len()), (Found::Operations, 0));
    assert_eq!(world.poll_at().await, None);
    // Somebody gave money back at the platform, and its callback was lost.
    world.pass(Duration::from_secs(90 * 24 * 3_600));
    let refund = r#",{"id":8,"type":"refund","status":"success","sum_initial":{"amount":400,"currency":"EUR"}}"#;
    let asked = poll_now(&world, status_answer(refund)).await.unwrap();
    assert_eq!(asked.published, [EventKind::RefundSucceeded]);
    let payment = asked.payment.unwrap();
    assert_eq!(payment.status(), Status::PartiallyRefunded);
    assert_eq!(payment.polling().polls_sent(), 2);
}

#[tokio::test]
async fn a_poll_by_hand_of_an_unknown_payment_adds_it_if_the_platform_has_it() {
    let world = World::new();
    let nothing = r#"{"project_id":211,"payment":{"id":"order-1","status":"error"},"errors":[{"code":"3061"}]}"#;
    for answer in [signed(nothing, "key"), nothing.to_owned()] {
        let asked = poll_now(&world, answer).await.unwrap();
        assert_eq!((asked.found, asked.payment), (Found::Nothing, None));
    }
    let of_another = nothing.replace("order-1", "order-2");
    let asked = poll_now(&world, signed(&of_another, "key")).await.unwrap();
    assert_eq!((asked.found, asked.payment), (Found::Unclear, None));
    let another = status_answer("").replace("ORDER-1", "ORDER-2");
    assert!(matches!(
        poll_now(&world, another).await,
        Err(PollError::NotSigned)
    ));
    let body = r#"{"project_id":211,"payment":{"id":"order-2","status":"success","sum":{"amount":1000,"currency":"EUR"}},
        "operations":[{"id":7,"type":"sale","status":"success","sum_initial":{"amount":1000,"currency":"EUR"}}]}"#;
    let asked = poll_now(&world, signed(body, "key")).await.unwrap();
    assert_eq!((asked.found, asked.payment), (Found::Unclear, None));
    assert!(world.payments.store.rows.lock().unwrap().is_empty());

    let asked = poll_now(&world, status_answer("")).await.unwrap();
    assert!(asked.before.is_none());
    let payment = asked.payment.unwrap();
    assert_eq!(payment.status(), Status::Unmatched);
    assert_eq!(payment.paid_amount(), 1000);
    assert_eq!(asked.published, [EventKind::PaymentUnmatched]);
    let again = poll_now(&world, status_answer("")).await.unwrap();
    assert_eq!((again.found, again.published.len()), (Found::Operations, 0));
    assert_eq!(world.poll_at().await, None, "nothing is open");
}
