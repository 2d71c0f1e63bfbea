//! Tests the indexes of due payments: the outbox and the next actions.

use std::time::Duration;

use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::decide::{Fact, SignedReport, decide};
use payments::model::schedule::Next;
use payments::ports::{Commit, Index, PaymentStore, SHARDS, Work, WorkQueue};
use wire::TABLE;

use crate::world::{WORK, World, commit, in_30_seconds, in_an_hour, key, report, without_events};

#[tokio::test]
async fn a_payment_is_in_the_outbox_while_it_has_unpublished_events() {
    let world = World::new().await;
    world.create("order").await;
    let first = world.outbox().await;
    assert_eq!(first[0].key, key("order"));
    let stored = world.load("order").await;
    assert_eq!(first[0].since, stored.payment.updated_at());

    tokio::time::sleep(Duration::from_millis(20)).await;
    world.succeed("order").await;
    assert_eq!(
        world.outbox().await,
        first,
        "the entry keeps the time of the oldest event"
    );

    world.mark("order", 2).await;
    assert!(world.outbox().await.is_empty());
    assert_eq!(world.attribute("order", "outbox_since").await, None);

    let stored = world.load("order").await;
    let change = without_events(&stored);
    let commit = commit(&change, Some(&stored));
    world.store().commit(commit).await.unwrap();
    assert!(world.outbox().await.is_empty());
}

#[tokio::test]
async fn a_payment_stays_in_the_outbox_when_a_commit_adds_an_event_during_publishing() {
    let world = World::new().await;
    world.create("order").await;
    let publishing = world.load("order").await;
    world.succeed("order").await;
    world.mark("order", publishing.payment.sequence()).await;
    assert_eq!(world.load("order").await.published, 1);
    assert_eq!(world.outbox_ids().await, ["211/order"]);
}

#[tokio::test]
async fn a_payment_with_an_id_of_any_form_is_found_in_the_outbox() {
    let world = World::new().await;
    let ids = [
        "a/b",
        "#",
        "a b;c:d",
        "\u{e9}\u{20ac}\u{1f600}",
        "UPPER",
        "/",
    ];
    for id in ids {
        let report = report(id, 1, "sale", 1000);
        let fact = Fact::Callback(SignedReport {
            report: &report,
            canonical: "d",
        });
        let change = decide(None, fact, Timestamp::now()).unwrap();
        world.store().commit(commit(&change, None)).await.unwrap();
    }
    let mut expected: Vec<String> = ids.iter().map(|id| key(id).to_string()).collect();
    expected.sort_unstable();
    assert_eq!(world.outbox_ids().await, expected);
    let run = world
        .sweeper()
        .sweep_outbox(Duration::ZERO, in_30_seconds())
        .await;
    assert_eq!((run.done, run.failed), (6, 0), "{run:?}");
    assert!(world.outbox().await.is_empty());
}

#[tokio::test]
async fn a_payment_is_due_from_the_time_of_its_next_action() {
    let world = World::new().await;
    world.create("order").await;
    let project_id = ProjectId::new(211).unwrap();
    let other_project = ProjectId::new(212).unwrap();
    let (at, later) = (Timestamp::from_millis(1_900_000_000_000), in_an_hour());
    let later = later.max(at.after(Duration::from_secs(1)));
    for (next, index, due_at, partition) in [
        (
            Some(Next::Poll(at)),
            Index::Poll(project_id),
            at,
            "poll#211#",
        ),
        (
            Some(Next::Poll(later)),
            Index::Poll(project_id),
            later,
            "poll#211#",
        ),
        (Some(Next::Expire(at)), Index::Expire, at, "expire#"),
        (Some(Next::Erase(at)), Index::Erase, at, "erase#"),
        (Some(Next::Overdue(at)), Index::Overdue, at, "overdue#"),
        (None, Index::Overdue, at, ""),
    ] {
        let stored = world.load("order").await;
        let change = without_events(&stored);
        let commit = Commit {
            next,
            ..commit(&change, Some(&stored))
        };
        world.store().commit(commit).await.unwrap();
        let client = aws_sdk_dynamodb::Client::new(world.wire.config());
        let listed = client.scan().table_name(TABLE).index_name("next");
        let listed = listed.send().await.unwrap().items.unwrap();
        assert_eq!(listed.len(), usize::from(next.is_some()));
        if let Some(entry) = listed.first() {
            let next = entry["next"].as_s().unwrap();
            assert!(next.starts_with(partition), "{next}");
        }
        let just_before = due_at.before(Duration::from_millis(1));
        for (queried, due_by, expected) in [
            (index, due_at, usize::from(next.is_some())),
            (index, just_before, 0),
            (Index::Poll(other_project), due_at, 0),
        ] {
            let mut found = Vec::new();
            for shard in 0..SHARDS {
                let page = world.store().due(queried, shard, due_by, None).await;
                found.extend(page.unwrap());
            }
            assert_eq!(found.len(), expected, "{queried:?} {due_by}");
            assert!(found.iter().all(|due| due.since == due_at));
        }
    }
}

async fn with_due_polls(count: usize) -> World {
    let world = World::new().await;
    for number in 0..count {
        let id = format!("order-{number}");
        world.create(&id).await;
        let stored = world.load(&id).await;
        let change = without_events(&stored);
        let commit = Commit {
            next: Some(Next::Poll(Timestamp::now())),
            ..commit(&change, Some(&stored))
        };
        world.store().commit(commit).await.unwrap();
    }
    world.wire.forget();
    world
}

#[tokio::test]
async fn due_polls_are_handed_out_in_batches_with_delays_and_without_a_write() {
    let world = with_due_polls(50).await;
    let hand_out = async || {
        let projects = [211, 212].map(|project| ProjectId::new(project).unwrap());
        let sweeper = world.sweeper();
        let swept = sweeper.hand_out_polls(projects, in_30_seconds()).await;
        swept.polled
    };
    let run = hand_out().await;
    assert_eq!((run.found, run.handed_out, run.failed), (50, 50, 0));
    let calls = world.wire.calls();
    let count = |name: &str| calls.iter().filter(|call| *call == name).count();
    // Each message has up to four polls, and each batch has up to ten messages.
    assert_eq!(count("SendMessageBatch"), 2);
    assert_eq!(count("GetQueueAttributes"), 1);
    assert_eq!(count("Query") + 3, calls.len(), "{calls:?}");
    assert_eq!(
        world.wire.delays(WORK),
        [[0; 5], [1; 5]]
            .concat()
            .into_iter()
            .chain([2; 3])
            .collect::<Vec<u64>>()
    );
    let mut keys = Vec::new();
    for message in world.wire.sent(WORK) {
        let Work::Poll { payments, .. } = serde_json::from_value(message).unwrap() else {
            panic!("not a poll");
        };
        keys.extend(payments.into_iter().map(|due| due.key.to_string()));
    }
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 50);

    // The backlog exceeds the usual 100 messages by 11. Therefore only 2 of the 13 messages are sent.
    world.wire.set_backlog(111);
    assert_eq!(world.work_queue.backlog().await.unwrap(), 111);
    assert_eq!(hand_out().await.handed_out, 8);
    world.wire.break_queue(WORK);
    let run = hand_out().await;
    assert_eq!((run.handed_out, run.failed), (0, 1), "{run:?}");
}

#[tokio::test]
async fn a_run_with_nothing_due_does_not_call_the_work_queue() {
    let world = with_due_polls(0).await;
    let projects = [ProjectId::new(211).unwrap()];
    let run = world
        .sweeper()
        .hand_out_polls(projects, in_30_seconds())
        .await;
    assert_eq!(run.polled.found, 0);
    assert_eq!(world.wire.calls(), vec!["Query"; usize::from(SHARDS)]);
}
