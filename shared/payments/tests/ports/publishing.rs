//! Tests that unpublished events are published first, in order and once. Also tests that a republish sends events
//! again.

use payments::events::EventKind;
use payments::model::Status;
use payments::service::outbox::republish::{RepublishError, Republished};

use super::system::*;
use crate::builders::*;

async fn republish(
    system: &System,
    from: Option<u64>,
    to: Option<u64>,
) -> Result<Republished, RepublishError> {
    system.payments.republish(&key(PAYMENT), from, to).await
}

const CREATED: (u64, EventKind) = (1, EventKind::PaymentCreated);
const SUCCEEDED: (u64, EventKind) = (2, EventKind::PaymentSucceeded);

#[tokio::test]
async fn the_next_call_publishes_events_that_no_queue_accepted() {
    let system = System::empty();
    system.behaviour().sends(1);
    let created = system.create_order(&storefront("shop"), 1000).await;
    assert!(
        created.is_ok(),
        "the checkout fails because the queue is down"
    );
    assert!(system.sent().is_empty());

    system.behaviour().sends(1);
    assert!(
        !system.sale_succeeds().await,
        "the callback is acknowledged, but its event is not published"
    );
    assert_eq!(system.status(), Status::Succeeded);
    assert!(
        system.sale_succeeds().await,
        "the repeated callback is not acknowledged"
    );
    assert_eq!(system.sent(), ["1 payment.created", "2 payment.succeeded"]);
    assert!(system.sale_succeeds().await);
    assert_eq!(
        system.sent().len(),
        2,
        "a duplicate callback publishes an event"
    );
}

#[tokio::test]
async fn a_republish_sends_the_requested_events_again_in_order() {
    let system = System::paid(&[]).await;
    let first = ["1 payment.created", "2 payment.succeeded"];
    assert_eq!(system.sent(), first);
    let all = republish(&system, None, None).await.unwrap();
    assert_eq!(all.repeated, [CREATED, SUCCEEDED]);
    assert!(all.published.is_empty() && all.gone.is_empty());
    let repeats = ["1 payment.created again", "2 payment.succeeded again"];
    assert_eq!(system.sent()[2..], repeats);

    let second = republish(&system, Some(2), Some(2)).await.unwrap();
    assert_eq!(second.repeated, [SUCCEEDED]);
    for (from, to) in [(0, 1), (2, 1), (1, 3), (9, 9)] {
        let none = republish(&system, Some(from), Some(to)).await;
        assert_matches!(none, Err(RepublishError::NoSuchEvents { last: 2 }));
    }
    assert_eq!(system.sent().len(), 5);
}

#[tokio::test]
async fn each_repeat_of_an_event_has_its_own_deduplication_id() {
    let system = System::paid(&[]).await;
    let event = system.tables().events[&(key(PAYMENT), 2)].clone();
    let ids = [None, Some("a"), Some("b")].map(|repeat| event.message_deduplication_id(repeat));
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    assert!(ids.iter().all(|id| id.len() == 64));
    for _ in 0..2 {
        republish(&system, Some(2), None).await.unwrap();
    }
    let sent = system.payments.queues[0].sent();
    let [first, second] = [&sent[2], &sent[3]].map(|sent| sent.repeat.as_ref());
    assert!(first.is_some() && first != second, "{first:?} {second:?}");
    let storefronts = sent.iter().map(|sent| sent.storefront.as_deref());
    assert!(storefronts.into_iter().all(|name| name == Some("shop")));
}

#[tokio::test]
async fn a_republish_publishes_unpublished_events_first_and_once() {
    let system = System::created(&[]).await;
    system.behaviour().sends(1);
    assert!(!system.sale_succeeds().await);
    system.behaviour().sends(1);
    assert_matches!(
        republish(&system, None, None).await,
        Err(RepublishError::NotPublished(_))
    );
    assert_eq!(system.sent(), ["1 payment.created"]);

    let again = republish(&system, None, None).await.unwrap();
    assert_eq!(again.published, [EventKind::PaymentSucceeded]);
    assert_eq!(again.repeated, [CREATED]);
    let sent = [
        "1 payment.created",
        "2 payment.succeeded",
        "1 payment.created again",
    ];
    assert_eq!(system.sent(), sent);
    assert_eq!(system.tables().payments[&key(PAYMENT)].published, 2);
}

#[tokio::test]
async fn a_republish_names_the_events_that_the_store_no_longer_has() {
    let system = System::paid(&[]).await;
    system.tables().events.remove(&(key(PAYMENT), 1));
    let again = republish(&system, None, None).await.unwrap();
    assert_eq!(again.gone, [1]);
    assert_eq!(again.repeated, [SUCCEEDED]);
}

#[tokio::test]
async fn a_republish_fails_if_a_queue_fails_or_the_payment_is_unknown() {
    let system = System::paid(&[]).await;
    system.behaviour().sends(1);
    assert_matches!(
        republish(&system, None, None).await,
        Err(RepublishError::Incomplete(_))
    );
    assert_matches!(
        system.payments.republish(&key("unknown"), None, None).await,
        Err(RepublishError::NotFound)
    );
}
