//! Tests the published mark: the sequence number up to which all events are published.

use payments::events::EventKind;
use payments::ports::PaymentStore;

use crate::world::{AUDIT, World, commit, key, succeeded};

#[tokio::test]
async fn a_published_mark_never_moves_back_and_a_commit_does_not_change_the_mark() {
    let world = World::new().await;
    world.create("order").await;
    let read_before = world.load("order").await;
    world.mark("order", 1).await;
    let change = succeeded("order", &read_before);
    let commit = commit(&change, Some(&read_before));
    world.store().commit(commit).await.unwrap();
    assert_eq!(world.load("order").await.published, 1);
    for (through, published) in [(1, 1), (2, 2), (1, 2), (2, 2)] {
        world.mark("order", through).await;
        assert_eq!(world.load("order").await.published, published);
        assert_eq!(world.outbox().await.is_empty(), published == 2);
    }
}

#[tokio::test]
async fn moving_the_mark_of_an_unknown_payment_writes_nothing() {
    let world = World::new().await;
    world.mark("unknown", 1).await;
    let loaded = world.store().load(&key("unknown")).await;
    assert!(loaded.unwrap().is_none());
}

#[tokio::test]
async fn moving_the_mark_returns_the_previous_mark() {
    let world = World::new().await;
    world.create("order").await;
    world.succeed("order").await;
    for (through, before) in [(1, 0), (1, 1), (2, 1), (1, 1), (2, 2)] {
        assert_eq!(
            world.mark("order", through).await,
            before,
            "through {through}"
        );
    }
}

#[tokio::test]
async fn only_one_of_two_concurrent_calls_moves_the_mark() {
    let world = World::new().await;
    for number in 0..10 {
        let id = format!("order-{number}");
        world.create(&id).await;
        world.succeed(&id).await;
        let (one, other) = tokio::join!(world.mark(&id, 2), world.mark(&id, 2));
        let mut before = [one, other];
        before.sort_unstable();
        assert_eq!(before, [0, 2]);
    }
}

#[tokio::test]
async fn a_published_mark_is_stored_when_the_first_answer_is_lost() {
    let world = World::new().await;
    world.create("order").await;
    world.wire.lose_next_answer_of("UpdateItem");
    world.mark("order", 1).await;
    assert_eq!(world.load("order").await.published, 1);
    assert!(world.outbox().await.is_empty());
}

#[tokio::test]
async fn an_event_is_counted_once_when_two_publishers_send_it() {
    let world = World::new().await;
    for number in 0..10 {
        let id = format!("order-{number}");
        world.create(&id).await;
        world.succeed(&id).await;
        let key = key(&id);
        let publish = async || {
            let published = world.payments.publish_pending(&key).await.unwrap().unwrap();
            published.published.unwrap()
        };
        let (mut counted, other) = tokio::join!(publish(), publish());
        counted.extend(other);
        let events = [EventKind::PaymentCreated, EventKind::PaymentSucceeded];
        assert_eq!(counted, events);
        let sent = world.sent(AUDIT, &id);
        assert!((2..=4).contains(&sent.len()), "{sent:?}");
    }
    assert!(world.outbox().await.is_empty());
}
