//! Events that are sent once more, for a consumer that has lost them.

use std::sync::atomic::Ordering::SeqCst;

use payments::events::EventKind;
use payments::service::outbox::republish::RepublishError;

use super::stage::*;

#[tokio::test]
async fn what_was_sent_is_sent_again_in_its_order() {
    let world = World::paid(&[]).await;
    let first = ["1 payment.created", "2 payment.succeeded"];
    assert_eq!(world.sent(), first);
    let again = world.payments.republish(&key(), None, None).await.unwrap();
    let created = (1, EventKind::PaymentCreated);
    let succeeded = (2, EventKind::PaymentSucceeded);
    assert_eq!(again.repeated, [created, succeeded]);
    assert!(again.published.is_empty() && again.gone.is_empty());
    let repeats = ["1 payment.created again", "2 payment.succeeded again"];
    assert_eq!(world.sent()[2..], repeats);

    let one = world.payments.republish(&key(), Some(2), Some(2)).await;
    assert_eq!(one.unwrap().repeated, [succeeded]);
    for (from, to) in [(0, 1), (2, 1), (1, 3), (9, 9)] {
        let (from, to) = (Some(from), Some(to));
        let none = world.payments.republish(&key(), from, to).await;
        let is_refused = matches!(none, Err(RepublishError::NoSuchEvents { last: 2 }));
        assert!(is_refused, "{none:?}");
    }
    assert_eq!(world.sent().len(), 5);
}

#[tokio::test]
async fn each_repeat_has_a_deduplication_id_of_its_own() {
    let world = World::paid(&[]).await;
    let event = world.payments.store.events.lock().unwrap()[&(key(), 2)].clone();
    let ids = [None, Some("a"), Some("b")].map(|repeat| event.message_deduplication_id(repeat));
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    assert!(ids.iter().all(|id| id.len() == 64));
    for _ in 0..2 {
        let again = world.payments.republish(&key(), Some(2), None).await;
        again.unwrap();
    }
    let repeats = world.queue.repeats.lock().unwrap().clone();
    assert!(
        repeats.len() == 2 && repeats[0] != repeats[1],
        "{repeats:?}"
    );
}

#[tokio::test]
async fn what_was_never_sent_goes_first_and_once() {
    let world = World::new();
    world.create(&shop("shop"), 1000).await.unwrap();
    world.queue.failures.store(1, SeqCst);
    assert!(!world.hear("success", "success").await);
    world.queue.failures.store(1, SeqCst);
    let down = world.payments.republish(&key(), None, None).await;
    assert!(
        matches!(down, Err(RepublishError::NotPublished(_))),
        "{down:?}"
    );
    assert_eq!(world.sent(), ["1 payment.created"], "nothing before it");

    let again = world.payments.republish(&key(), None, None).await.unwrap();
    assert_eq!(again.published, [EventKind::PaymentSucceeded]);
    assert_eq!(again.repeated, [(1, EventKind::PaymentCreated)]);
    let sent = [
        "1 payment.created",
        "2 payment.succeeded",
        "1 payment.created again",
    ];
    assert_eq!(world.sent(), sent);
    let stored = &world.payments.store.rows.lock().unwrap()[&key()];
    assert_eq!(stored.published, 2);
}

#[tokio::test]
async fn what_is_not_kept_any_more_is_named_and_what_is_cut_is_told() {
    let world = World::paid(&[]).await;
    world.queue.failures.store(1, SeqCst);
    let cut = world.payments.republish(&key(), None, None).await;
    assert!(matches!(cut, Err(RepublishError::Incomplete(_))), "{cut:?}");
    let events = &world.payments.store.events;
    events.lock().unwrap().remove(&(key(), 1));
    let again = world.payments.republish(&key(), None, None).await.unwrap();
    assert_eq!(again.gone, [1]);
    assert_eq!(again.repeated, [(2, EventKind::PaymentSucceeded)]);
    world.payments.store.rows.lock().unwrap().clear();
    let none = world.payments.republish(&key(), None, None).await;
    assert!(matches!(none, Err(RepublishError::NotFound)), "{none:?}");
}
