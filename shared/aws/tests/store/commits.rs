//! Races, marks and lost answers.

use std::sync::Arc;

use payments::Timestamp;
use payments::decide::{Fact, SignedReport};
use payments::events::EventKind;
use payments::model::schedule::Next;
use payments::ports::{Commit, CommitError, PaymentStore};
use tokio::task::JoinSet;

use crate::world::{AUDIT, World, commit, created, key, report, silent, succeeded};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_writers_of_one_payment_lose_nothing() {
    for round in 0..5 {
        let id = format!("race-{round}");
        let world = Arc::new(World::new().await);
        world.create(&id).await;
        let mut writers = JoinSet::new();
        for operation in 1..=8 {
            let (world, id) = (world.clone(), id.clone());
            writers.spawn(async move {
                let report = match operation {
                    1 => report(&id, 1, "sale", 1000),
                    _ => report(&id, operation, "refund", 100),
                };
                let digest = operation.to_string();
                let fact = Fact::Callback(SignedReport {
                    report: &report,
                    canonical: &digest,
                });
                let applied = world.payments.apply(&key(&id), fact).await;
                let applied = applied.unwrap().unwrap();
                applied.published.unwrap();
                u64::from(applied.changed)
            });
        }
        let changes: u64 = writers.join_all().await.into_iter().sum();

        let stored = world.load(&id).await;
        assert_eq!(changes, 8);
        assert_eq!(stored.version, 1 + changes, "one version a change");
        let payment = &stored.payment;
        assert_eq!(
            (payment.paid_amount(), payment.refunded_amount()),
            (1000, 700)
        );

        let last = payment.sequence();
        let events = world.store().events(&key(&id), 1, last + 10).await.unwrap();
        let numbers: Vec<u64> = events.iter().map(|event| event.sequence).collect();
        assert_eq!(numbers, Vec::from_iter(1..=last), "no gap, and none twice");
        let refunds = events
            .iter()
            .filter(|event| event.kind == EventKind::RefundSucceeded);
        assert_eq!(refunds.count(), 7);

        // Every event was sent, and each for the first time in its order.
        let mut first_sends = world.sent(AUDIT, &id);
        let mut seen = Vec::new();
        first_sends.retain(|number| {
            !seen.contains(number) && {
                seen.push(*number);
                true
            }
        });
        assert_eq!(first_sends, numbers);
        assert_eq!(stored.published, last);
        assert!(world.outbox().await.is_empty());
    }
}

#[tokio::test]
async fn who_has_read_an_older_version_writes_nothing() {
    let world = World::new().await;
    world.create("order").await;
    let old = world.load("order").await;
    let late = succeeded("order", &old);
    world.succeed("order").await;

    let again = world.store().commit(commit(&created("order"), None)).await;
    assert!(matches!(again, Err(CommitError::Conflict)), "{again:?}");
    for change in [late, silent(&old)] {
        let lost = world.store().commit(commit(&change, Some(&old))).await;
        assert!(matches!(lost, Err(CommitError::Conflict)), "{lost:?}");
    }
    let stored = world.load("order").await;
    assert_eq!((stored.version, stored.payment.sequence()), (2, 2));
    let events = world.store().events(&key("order"), 1, 9).await.unwrap();
    assert_eq!(events.len(), 2);
    let token = world.store().payment_of_token("order").await.unwrap();
    assert_eq!(token, Some(key("order")));
}

#[tokio::test]
async fn a_mark_goes_forward_only_and_a_commit_does_not_take_it_back() {
    let world = World::new().await;
    world.create("order").await;
    let read_before = world.load("order").await;
    world
        .store()
        .mark_published(&key("order"), 1)
        .await
        .unwrap();
    let change = succeeded("order", &read_before);
    let commit = commit(&change, Some(&read_before));
    world.store().commit(commit).await.unwrap();
    assert_eq!(world.load("order").await.published, 1);
    for (through, published) in [(1, 1), (2, 2), (1, 2), (2, 2)] {
        world
            .store()
            .mark_published(&key("order"), through)
            .await
            .unwrap();
        assert_eq!(world.load("order").await.published, published);
        assert_eq!(world.outbox().await.is_empty(), published == 2);
    }
    world
        .store()
        .mark_published(&key("nobody"), 1)
        .await
        .unwrap();
    assert!(world.store().load(&key("nobody")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_mark_gives_the_number_before_and_only_one_of_two_at_once_moves_it() {
    let world = World::new().await;
    for round in 0..10 {
        let id = format!("order-{round}");
        world.create(&id).await;
        world.succeed(&id).await;
        let key = key(&id);
        let mark = |through| world.store().mark_published(&key, through);
        let (one, other) = tokio::join!(mark(2), mark(2));
        let mut before = [one.unwrap(), other.unwrap()];
        before.sort_unstable();
        assert_eq!(before, [0, 2]);
    }
    world.create("parts").await;
    let key = key("parts");
    let mark = |through| world.store().mark_published(&key, through);
    world.succeed("parts").await;
    for (through, before) in [(1, 0), (1, 1), (2, 1), (1, 1), (2, 2)] {
        assert_eq!(mark(through).await.unwrap(), before, "through {through}");
    }
}

#[tokio::test]
async fn of_two_publishers_at_once_one_counts_an_event() {
    let world = World::new().await;
    for round in 0..10 {
        let id = format!("order-{round}");
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

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_known_again() {
    let world = World::new().await;
    world.wire.lose_next_answer_of("TransactWriteItems");
    world.create("order").await;
    let calls = ["TransactWriteItems", "TransactWriteItems"];
    assert_eq!(world.wire.calls(), calls, "the SDK's own second attempt");

    let stored = world.load("order").await;
    let change = silent(&stored);
    let again = Commit {
        next: Some(Next::Poll(Timestamp::now())),
        ..commit(&change, Some(&stored))
    };
    world.wire.forget();
    world.wire.lose_next_answer_of("UpdateItem");
    world.store().commit(again).await.unwrap();
    assert_eq!(world.wire.calls(), ["UpdateItem", "UpdateItem"]);
    assert_eq!(world.load("order").await.version, 2);

    let twin = world.store().commit(again).await;
    assert!(
        matches!(twin, Err(CommitError::Conflict)),
        "another's: {twin:?}"
    );

    world.wire.lose_next_answer_of("UpdateItem");
    world
        .store()
        .mark_published(&key("order"), 1)
        .await
        .unwrap();
    assert_eq!(world.load("order").await.published, 1);
    assert!(world.outbox().await.is_empty());
}
