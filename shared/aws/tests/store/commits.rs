//! Tests commits: conflicts between writers, and lost answers.

use std::sync::Arc;

use payments::Timestamp;
use payments::decide::{Fact, SignedReport};
use payments::events::EventKind;
use payments::model::schedule::Next;
use payments::ports::{Commit, CommitError, PaymentStore};
use tokio::task::JoinSet;

use crate::world::{AUDIT, World, commit, created, key, report, succeeded, without_events};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writers_of_one_payment_lose_no_change_and_no_event() {
    for run in 0..5 {
        let id = format!("race-{run}");
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
        assert_eq!(stored.version, 1 + changes, "each change adds one version");
        let payment = &stored.payment;
        assert_eq!(
            (payment.paid_amount(), payment.refunded_amount()),
            (1000, 700)
        );

        let last = payment.sequence();
        let events = world.store().events(&key(&id), 1, last + 10).await.unwrap();
        let numbers: Vec<u64> = events.iter().map(|event| event.sequence).collect();
        assert_eq!(numbers, Vec::from_iter(1..=last));
        let refunds = events
            .iter()
            .filter(|event| event.kind == EventKind::RefundSucceeded);
        assert_eq!(refunds.count(), 7);

        // An event can be sent more than once, but the first sends of the events are in order.
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
async fn a_commit_over_an_older_version_is_a_conflict_and_writes_nothing() {
    let world = World::new().await;
    world.create("order").await;
    let old = world.load("order").await;
    let late = succeeded("order", &old);
    world.succeed("order").await;

    let again = world.store().commit(commit(&created("order"), None)).await;
    assert!(matches!(again, Err(CommitError::Conflict)), "{again:?}");
    for change in [late, without_events(&old)] {
        let lost = world.store().commit(commit(&change, Some(&old))).await;
        assert!(matches!(lost, Err(CommitError::Conflict)), "{lost:?}");
    }
    let stored = world.load("order").await;
    assert_eq!((stored.version, stored.payment.sequence()), (2, 2));
    let events = world.store().events(&key("order"), 1, 9).await.unwrap();
    assert_eq!(events.len(), 2);
    let token = world.store().checkout_of_token("order").await.unwrap();
    assert_eq!(token.unwrap().key, key("order"));
}

#[tokio::test]
async fn a_transaction_succeeds_when_its_first_answer_is_lost() {
    let world = World::new().await;
    world.wire.lose_next_answer_of("TransactWriteItems");
    world.create("order").await;
    let calls = ["TransactWriteItems", "TransactWriteItems"];
    assert_eq!(
        world.wire.calls(),
        calls,
        "the SDK must try the call a second time"
    );
    assert_eq!(world.load("order").await.version, 1);
}

#[tokio::test]
async fn an_update_succeeds_when_its_first_answer_is_lost() {
    let world = World::new().await;
    world.create("order").await;
    let stored = world.load("order").await;
    let change = without_events(&stored);
    let commit = Commit {
        next: Some(Next::Poll(Timestamp::now())),
        ..commit(&change, Some(&stored))
    };
    world.wire.forget();
    world.wire.lose_next_answer_of("UpdateItem");
    world.store().commit(commit).await.unwrap();
    assert_eq!(world.wire.calls(), ["UpdateItem", "UpdateItem"]);
    assert_eq!(world.load("order").await.version, 2);

    let other_commit = world.store().commit(commit).await;
    assert!(
        matches!(other_commit, Err(CommitError::Conflict)),
        "{other_commit:?}"
    );
}
