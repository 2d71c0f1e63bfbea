//! The store and the relay on a real table: races, marks, indexes, lost answers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use ecommpay::fields::ProjectId;
use ecommpay::json::{Limits, parse};
use ecommpay::report::Report;
use payments::adapters::dynamodb::DynamoStore;
use payments::adapters::sqs::SqsQueue;
use payments::checkout::CheckoutRequest;
use payments::config::QueueConfig;
use payments::day::Day;
use payments::decide::{Change, Fact, News, create, decide};
use payments::event::EventKind;
use payments::payment::{PaidOrder, Payment};
use payments::ports::{
    Commit, CommitError, Daily, Due, Index, PaymentStore, ProgressStore, SHARDS, Stored,
    SystemClock,
};
use payments::schedule::{Next, Schedule};
use payments::storefront::Storefront;
use payments::{MerchantId, PaymentKey, Payments, Timestamp};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;
use wire::{TABLE, Wire};

const AUDIT: &str = "https://queues.example/audit";
const FULFILMENT: &str = "https://queues.example/fulfilment";

struct World {
    wire: Wire,
    payments: Payments<DynamoStore, SqsQueue, SystemClock>,
}

impl World {
    async fn new() -> Self {
        let wire = Wire::start().await.unwrap();
        let queue = |url: &str, types| QueueConfig {
            url: url.into(),
            types,
        };
        let queues = vec![
            queue(AUDIT, None),
            queue(
                FULFILMENT,
                Some(vec![
                    EventKind::PaymentSucceeded,
                    EventKind::RefundSucceeded,
                ]),
            ),
        ];
        let payments = Payments {
            store: DynamoStore::new(wire.config(), TABLE),
            queues: SqsQueue::all(wire.config(), queues),
            clock: SystemClock,
            schedule: Schedule::default(),
        };
        Self { wire, payments }
    }

    fn store(&self) -> &DynamoStore {
        &self.payments.store
    }

    async fn load(&self, id: &str) -> Stored {
        self.store().load(&key(id)).await.unwrap().unwrap()
    }

    /// Stores a new payment with its first event, unsent.
    async fn create(&self, id: &str) {
        let change = created(id);
        let commit = Commit {
            token_hash: Some(id),
            ..commit(&change, None)
        };
        self.store().commit(commit).await.unwrap();
    }

    /// Commits a success with its event, unsent.
    async fn succeed(&self, id: &str) {
        let stored = self.load(id).await;
        let change = succeeded(id, &stored);
        let commit = commit(&change, Some(&stored));
        self.store().commit(commit).await.unwrap();
    }

    /// All payments of the index, whatever their age.
    async fn unsent(&self) -> Vec<Due> {
        let mut all = Vec::new();
        for shard in 0..SHARDS {
            let page = self
                .store()
                .due(Index::Unsent, shard, in_an_hour(), None)
                .await;
            all.extend(page.unwrap());
        }
        all
    }

    async fn unsent_ids(&self) -> Vec<String> {
        let unsent = self.unsent().await;
        let mut ids: Vec<String> = unsent.iter().map(|one| one.key.to_string()).collect();
        ids.sort_unstable();
        ids
    }

    /// The ids of the payments of a day, page by page.
    async fn of_day(&self, day: Day) -> Vec<String> {
        let project_id = ProjectId::new(211).unwrap();
        let mut all: Vec<PaymentKey> = Vec::new();
        for shard in 0..SHARDS {
            let mut last = None;
            loop {
                let store = self.store();
                let page = store.of_day(project_id, day, shard, last.as_ref()).await;
                let page = page.unwrap();
                all.extend(page.clone());
                match page.last() {
                    Some(behind) => last = Some(behind.clone()),
                    None => break,
                }
            }
        }
        let mut ids: Vec<String> = all.iter().map(PaymentKey::to_string).collect();
        ids.sort_unstable();
        ids
    }

    /// The numbers of a payment's events that a queue was sent, repeats included.
    fn sent(&self, queue: &str, id: &str) -> Vec<u64> {
        let sent = self.wire.sent(queue);
        let of_it = sent.iter().filter(|event| event["subject"] == id);
        let number = |event: &Value| event["data"]["sequence"].as_u64().unwrap();
        of_it.map(number).collect()
    }

    /// An attribute of the payment's item, as the table has it.
    async fn attribute(&self, id: &str, name: &str) -> Option<AttributeValue> {
        let client = aws_sdk_dynamodb::Client::new(self.wire.config());
        let item = client.get_item().table_name(TABLE);
        let item = item
            .key("pk", AttributeValue::S(format!("payment#{}", key(id))))
            .key("sk", AttributeValue::S("payment".into()));
        item.send().await.unwrap().item.unwrap().remove(name)
    }
}

fn key(id: &str) -> PaymentKey {
    PaymentKey::new(ProjectId::new(211).unwrap(), id)
}

fn in_an_hour() -> Timestamp {
    Timestamp::now().after(Duration::from_secs(3_600))
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn created(id: &str) -> Change {
    let storefront = Storefront {
        key_id: "shop".into(),
        key_hash: String::new(),
        name: "shop".into(),
        project_id: ProjectId::new(211).unwrap(),
        scopes: [].into(),
        return_origins: ["https://shop.example".into()].into(),
    };
    let body = format!(
        r#"{{"payment_id":"{id}","amount":1000,"currency":"EUR","return_url":"https://shop.example/",
            "customer":{{"id":"c","ip_address":"192.0.2.1","last_name":"Janssens"}}}}"#
    );
    let now = Timestamp::now();
    let request = CheckoutRequest::read(body.as_bytes(), &storefront, now).unwrap();
    let id = MerchantId::new(id).unwrap();
    create(storefront.project_id, &id, request.order, now)
}

/// A report about one operation, as a callback brings it.
fn report(id: &str, operation: u64, kind: &str, amount: u64) -> Report {
    let status = match kind {
        "sale" => "success",
        _ => "partially refunded",
    };
    let body = format!(
        r#"{{"project_id":211,
            "payment":{{"id":"{id}","status":"{status}","sum":{{"amount":1000,"currency":"EUR"}}}},
            "operation":{{"id":{operation},"type":"{kind}","status":"success","date":"2026-11-21T10:00:{operation:02}+0000",
                "sum_initial":{{"amount":{amount},"currency":"EUR"}}}}}}"#
    );
    Report::read(&parse(body.as_bytes(), Limits::CALLBACK).unwrap())
}

fn succeeded(id: &str, stored: &Stored) -> Change {
    let report = report(id, 1, "sale", 1000);
    let fact = Fact::Callback(News {
        report: &report,
        canonical: "d",
    });
    decide(Some(&stored.payment), fact, Timestamp::now()).unwrap()
}

/// A change without events.
fn silent(stored: &Stored) -> Change {
    Change {
        payment: stored.payment.clone(),
        events: Vec::new(),
    }
}

/// A write of it, with nothing to do next.
fn commit<'a>(change: &'a Change, over: Option<&'a Stored>) -> Commit<'a> {
    Commit {
        change,
        next: None,
        over,
        token_hash: None,
    }
}

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
                let fact = Fact::Callback(News {
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

        let last = payment.sequence;
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
        assert!(world.unsent().await.is_empty());
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
    assert_eq!((stored.version, stored.payment.sequence), (2, 2));
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
        assert_eq!(world.unsent().await.is_empty(), published == 2);
    }
    world
        .store()
        .mark_published(&key("nobody"), 1)
        .await
        .unwrap();
    assert!(world.store().load(&key("nobody")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_payment_is_in_the_index_as_long_as_it_has_unsent_events() {
    let world = World::new().await;
    world.create("order").await;
    let first = world.unsent().await;
    assert_eq!(first[0].key, key("order"));
    assert_eq!(first[0].since, world.load("order").await.payment.updated_at);

    tokio::time::sleep(Duration::from_millis(20)).await;
    world.succeed("order").await;
    assert_eq!(world.unsent().await, first, "as old as its oldest event");

    world
        .store()
        .mark_published(&key("order"), 2)
        .await
        .unwrap();
    assert!(world.unsent().await.is_empty());
    assert_eq!(world.attribute("order", "unsent_since").await, None);

    let stored = world.load("order").await;
    let change = silent(&stored);
    let commit = commit(&change, Some(&stored));
    world.store().commit(commit).await.unwrap();
    assert!(world.unsent().await.is_empty(), "nothing to send");
}

#[tokio::test]
async fn what_is_committed_while_others_send_stays_in_the_index() {
    let world = World::new().await;
    world.create("order").await;
    let sending = world.load("order").await;
    world.succeed("order").await;
    world
        .store()
        .mark_published(&key("order"), sending.payment.sequence)
        .await
        .unwrap();
    assert_eq!(world.load("order").await.published, 1);
    assert_eq!(world.unsent_ids().await, ["211/order"]);
}

#[tokio::test]
async fn ids_of_any_form_are_found_in_the_shard_that_they_are_in() {
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
        let fact = Fact::Callback(News {
            report: &report,
            canonical: "d",
        });
        let change = decide(None, fact, Timestamp::now()).unwrap();
        world.store().commit(commit(&change, None)).await.unwrap();
    }
    let mut expected: Vec<String> = ids.iter().map(|id| key(id).to_string()).collect();
    expected.sort_unstable();
    assert_eq!(world.unsent_ids().await, expected);
    let relayed = world.payments.relay(Duration::ZERO, soon()).await;
    assert_eq!((relayed.done, relayed.failed), (6, 0), "{relayed:?}");
    assert!(world.unsent().await.is_empty());
}

#[tokio::test]
async fn what_is_to_be_done_next_is_in_an_index_too() {
    let world = World::new().await;
    world.create("order").await;
    let project_id = ProjectId::new(211).unwrap();
    let other_project = ProjectId::new(212).unwrap();
    let (at, later) = (Timestamp::from_millis(1_900_000_000_000), in_an_hour());
    let later = later.max(at.after(Duration::from_secs(1)));
    for (next, index, due_at, shown_in) in [
        (Some(Next::Ask(at)), Index::Ask(project_id), at, "ask#211#0"),
        (
            Some(Next::Ask(later)),
            Index::Ask(project_id),
            later,
            "ask#211#0",
        ),
        (Some(Next::Erase(at)), Index::Erase, at, "erase#0"),
        (Some(Next::Overdue(at)), Index::Overdue, at, "overdue#0"),
        (None, Index::Overdue, at, ""),
    ] {
        let stored = world.load("order").await;
        let change = silent(&stored);
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
            let shard = entry["next"].as_s().unwrap();
            assert!(shard.starts_with(shown_in), "{shard}");
        }
        let just_then = due_at.after(Duration::from_millis(1));
        for (asked, before, expected) in [
            (index, just_then, usize::from(next.is_some())),
            (index, due_at, 0),
            (Index::Ask(other_project), just_then, 0),
        ] {
            let mut found = Vec::new();
            for shard in 0..SHARDS {
                let page = world.store().due(asked, shard, before, None).await;
                found.extend(page.unwrap());
            }
            assert_eq!(found.len(), expected, "{asked:?} {before}");
            assert!(found.iter().all(|due| due.since == due_at));
        }
    }
}

/// What a report of operations that ended on these days, from the first of 2026 on, adds to a
/// payment.
fn ended_on(payment: Option<&Payment>, id: &str, days: std::ops::Range<u64>) -> Change {
    let start = Timestamp::of_platform("2026-01-01T23:59:59+0000").unwrap();
    let operation = |day: u64| {
        let date = start.after(Duration::from_secs(day * 24 * 3_600));
        let date = date.to_string().replace('Z', "+0000");
        format!(
            r#"{{"id":{},"type":"refund","status":"decline","date":"{date}"}}"#,
            day + 1
        )
    };
    let operations: Vec<String> = days.map(operation).collect();
    let body = format!(
        r#"{{"project_id":211,"payment":{{"id":"{id}","status":"success"}},"operations":[{}]}}"#,
        operations.join(",")
    );
    let report = Report::read(&parse(body.as_bytes(), Limits::ANSWER).unwrap());
    let fact = Fact::StatusAnswer {
        news: News {
            report: &report,
            canonical: "d",
        },
        question: 1,
    };
    decide(payment, fact, Timestamp::now()).unwrap()
}

fn day(date: &str) -> Day {
    Day::of(Timestamp::of_platform(&format!("{date}T12:00:00+0000")).unwrap())
}

#[tokio::test]
async fn a_payment_is_found_by_each_of_its_days() {
    let world = World::new().await;
    world.create("order").await;
    let first = Day::of(world.load("order").await.payment.created_at);
    assert_eq!(world.of_day(first).await, ["211/order"]);

    // A day that nothing is announced on is written with the change too, and only once.
    let stored = world.load("order").await;
    let change = ended_on(Some(&stored.payment), "order", 0..2);
    assert!(change.events.is_empty());
    world.wire.forget();
    let over = Some(&stored);
    world.store().commit(commit(&change, over)).await.unwrap();
    assert_eq!(world.wire.calls(), ["TransactWriteItems"]);
    for date in ["2026-01-01", "2026-01-02"] {
        assert_eq!(world.of_day(day(date)).await, ["211/order"], "{date}");
    }
    for date in ["2025-12-31", "2026-01-03"] {
        assert!(world.of_day(day(date)).await.is_empty(), "{date}");
    }
    let stored = world.load("order").await;
    let change = silent(&stored);
    world.wire.forget();
    let over = Some(&stored);
    world.store().commit(commit(&change, over)).await.unwrap();
    assert_eq!(world.wire.calls(), ["UpdateItem"]);

    // Nothing is left of a change that others were faster than.
    let late = ended_on(Some(&stored.payment), "order", 7..8);
    let lost = world.store().commit(commit(&late, over)).await;
    assert!(matches!(lost, Err(CommitError::Conflict)), "{lost:?}");
    assert!(world.of_day(day("2026-01-08")).await.is_empty());
}

#[tokio::test]
async fn a_days_payments_are_found_whatever_their_ids_and_number() {
    let world = World::new().await;
    let mut expected: Vec<String> = (0..900).map(|number| format!("order-{number}")).collect();
    expected.extend(["a/b #1", "day#2026-01-01", "\u{e9}\u{20ac}", "UPPER"].map(String::from));
    for id in &expected {
        let change = ended_on(None, id, 0..1);
        world.store().commit(commit(&change, None)).await.unwrap();
    }
    let mut expected: Vec<String> = expected.iter().map(|id| key(id).to_string()).collect();
    expected.sort_unstable();
    assert_eq!(world.of_day(day("2026-01-01")).await, expected);
}

#[tokio::test]
async fn who_has_paid_an_order_is_found_by_it() {
    let world = World::new().await;
    for (id, order_id, storefront) in [
        ("one", "Order-1", "shop"),
        ("two", "oRDER-1", "shop"),
        ("other", "order-2", "shop"),
        ("elsewhere", "order-1", "other shop"),
    ] {
        let mut change = created(id);
        let order = change.payment.order.as_mut().unwrap();
        order.order_id = MerchantId::new(order_id);
        order.storefront = storefront.into();
        world.store().commit(commit(&change, None)).await.unwrap();
    }
    let project_id = ProjectId::new(211).unwrap();
    let paid_by = async |order_id: &str| {
        let order_id = MerchantId::new(order_id).unwrap();
        let order = PaidOrder {
            project_id,
            storefront: "shop",
            order_id: &order_id,
        };
        let found = world.store().paid_by(order).await;
        let keys = found.unwrap().into_iter().map(|key| key.to_string());
        keys.collect::<Vec<_>>()
    };
    assert!(paid_by("order-1").await.is_empty(), "nobody yet");
    world.succeed("one").await;
    assert_eq!(paid_by("order-1").await, ["211/one"]);
    for id in ["two", "other", "elsewhere"] {
        world.succeed(id).await;
    }
    assert_eq!(paid_by("ORDER-1").await, ["211/one", "211/two"]);
    assert_eq!(paid_by("order-2").await, ["211/other"]);
    // Of a change that others were faster than nothing is left.
    let stored = world.load("other").await;
    let mut change = silent(&stored);
    let order = change.payment.order.as_mut().unwrap();
    order.order_id = MerchantId::new("order-3");
    let late = Stored {
        version: 1,
        ..stored
    };
    let lost = world.store().commit(commit(&change, Some(&late))).await;
    assert!(matches!(lost, Err(CommitError::Conflict)), "{lost:?}");
    assert!(paid_by("order-3").await.is_empty());
}

#[tokio::test]
async fn of_more_days_than_one_write_takes_the_newest_are_found() {
    let world = World::new().await;
    world.create("order").await;
    let stored = world.load("order").await;
    let change = ended_on(Some(&stored.payment), "order", 0..90);
    let over = Some(&stored);
    world.store().commit(commit(&change, over)).await.unwrap();
    let mut found = 0;
    for number in 0..90 {
        let start = day("2026-01-01").start();
        let day = Day::of(start.after(Duration::from_secs(number * 24 * 3_600)));
        let is_found = !world.of_day(day).await.is_empty();
        assert_eq!(is_found, number >= 10, "{day}");
        found += u64::from(is_found);
    }
    assert_eq!(found, 80);
}

#[tokio::test]
async fn progress_goes_forward_only_and_apart_for_each_project_and_work() {
    let world = World::new().await;
    let store = world.store();
    let [one, other] = [211, 212].map(|id| ProjectId::new(id).unwrap());
    assert_eq!(store.progress(one, Daily::Compare).await.unwrap(), None);
    let noon = Timestamp::from_millis(1_900_000_000_000);
    let (before, after) = (
        noon.before(Duration::from_secs(1)),
        noon.after(Duration::from_secs(1)),
    );
    for (until, expected) in [(noon, noon), (before, noon), (noon, noon), (after, after)] {
        store.advance(one, Daily::Compare, until).await.unwrap();
        assert_eq!(
            store.progress(one, Daily::Compare).await.unwrap(),
            Some(expected)
        );
    }
    for (project_id, daily) in [(one, Daily::Report), (other, Daily::Compare)] {
        assert_eq!(store.progress(project_id, daily).await.unwrap(), None);
    }
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
        next: Some(Next::Ask(Timestamp::now())),
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
    assert!(world.unsent().await.is_empty());
}

#[tokio::test]
async fn the_relay_sends_in_order_what_was_left_behind_and_nothing_else() {
    let world = World::new().await;
    for number in 0..40 {
        world.create(&format!("order-{number}")).await;
        world.succeed(&format!("order-{number}")).await;
    }
    let young = world.payments.relay(Duration::from_secs(30), soon()).await;
    assert_eq!((young.found, young.oldest_s), (0, 0), "still at it");
    assert!(world.wire.sent(AUDIT).is_empty());

    tokio::time::sleep(Duration::from_millis(1_100)).await;
    world.wire.forget();
    let relayed = world.payments.relay(Duration::ZERO, soon()).await;
    assert_eq!((relayed.found, relayed.done, relayed.failed), (40, 40, 0));
    assert!(relayed.in_time && relayed.oldest_s >= 1, "{relayed:?}");
    for number in 0..40 {
        let id = format!("order-{number}");
        assert_eq!(world.sent(AUDIT, &id), [1, 2]);
        assert_eq!(world.sent(FULFILMENT, &id), [2]);
    }
    let at_once = world.wire.most_at_once("SendMessage");
    assert!((4..=32).contains(&at_once), "{at_once} sends at once");
    assert!(world.unsent().await.is_empty());
    assert_eq!(world.payments.relay(Duration::ZERO, soon()).await.found, 0);
}

/// Refunds are heard of before their sale, which then has far more to tell than one write of the
/// store can hold. Whoever commits the first of it crashes there. 120 refunds, 500 with `LONG=1`.
#[tokio::test]
async fn a_payment_with_500_operations_is_told_whole() {
    let long = std::env::var("LONG").is_ok_and(|long| long == "1");
    let last = if long { 501 } else { 121 };
    let world = World::new().await;
    let mut many = created("many");
    let name = "x".repeat(80);
    for operation in 2..=last {
        let mut report = report("many", operation, "refund", 2);
        report.operations[0].request_id = Some(format!("{name}-{operation}"));
        let fact = Fact::Callback(News {
            report: &report,
            canonical: &operation.to_string(),
        });
        let heard = decide(Some(&many.payment), fact, Timestamp::now()).unwrap();
        assert!(heard.events.is_empty());
        many.payment = heard.payment;
    }
    world.store().commit(commit(&many, None)).await.unwrap();
    world.wire.break_queue(AUDIT);
    world.succeed("many").await;
    let told = world.load("many").await.payment.sequence;
    assert!(told < 50, "{told} events in one change");
    let later = || Instant::now() + Duration::from_secs(600);
    let relayed = world.payments.relay(Duration::ZERO, later()).await;
    assert_eq!((relayed.done, relayed.failed), (0, 1));
    assert_eq!(world.unsent_ids().await, ["211/many"]);
    world.wire.mend_queues();
    let relayed = world.payments.relay(Duration::ZERO, later()).await;
    assert_eq!((relayed.done, relayed.failed), (1, 0));
    assert!(world.unsent().await.is_empty());

    let stored = world.load("many").await;
    assert_eq!(stored.payment.refunded_amount(), 2 * (last - 1));
    let numbers = Vec::from_iter(1..=last + 1);
    assert_eq!(world.sent(AUDIT, "many"), numbers);
    let refunds = &numbers[1..];
    let fulfilled = world.sent(FULFILMENT, "many");
    assert_eq!(fulfilled[fulfilled.len() - refunds.len()..], *refunds);
    let Some(AttributeValue::S(document)) = world.attribute("many", "document").await else {
        panic!("no document");
    };
    let events = world
        .store()
        .events(&key("many"), 1, last + 1)
        .await
        .unwrap();
    let largest = events.iter().map(|event| event.body.len()).max().unwrap();
    println!("item {} bytes, largest event {largest}", document.len());
    // Of 400 KB, and of the 256 KiB that a queue's message had as its limit for long.
    assert!(document.len() < 300_000 && largest < 256 * 1024);
}

#[tokio::test]
async fn the_relay_goes_through_every_page_however_many_fail() {
    let world = World::new().await;
    world.create("last").await;
    let last = world.unsent().await.remove(0);
    let shard = world.attribute("last", "unsent").await.unwrap();
    // Two pages and more, before the good one and in its shard, of what cannot be read.
    let client = aws_sdk_dynamodb::Client::new(world.wire.config());
    for number in 0..230 {
        let since = last.since.unix_millis() - 1 - number / 50;
        let put = client.put_item().table_name(TABLE);
        let put = put
            .item("pk", AttributeValue::S(format!("payment#211/bad-{number}")))
            .item("sk", AttributeValue::S("payment".into()))
            .item("unsent", shard.clone())
            .item("unsent_since", AttributeValue::N(since.to_string()));
        put.send().await.unwrap();
    }
    let relayed = world.payments.relay(Duration::ZERO, soon()).await;
    assert_eq!((relayed.found, relayed.done, relayed.failed), (231, 1, 230));
    assert_eq!(world.sent(AUDIT, "last"), [1]);
}

#[tokio::test]
async fn a_failure_holds_up_no_other_payment_and_is_tried_again() {
    let world = World::new().await;
    world.wire.break_queue(FULFILMENT);
    for id in ["bad", "good"] {
        world.create(id).await;
    }
    world.succeed("bad").await;
    let relayed = world.payments.relay(Duration::ZERO, soon()).await;
    assert_eq!((relayed.found, relayed.done, relayed.failed), (2, 1, 1));
    assert!(relayed.failure.unwrap().starts_with("211/bad: "));
    assert_eq!(world.unsent_ids().await, ["211/bad"]);

    world.wire.mend_queues();
    let relayed = world.payments.relay(Duration::ZERO, soon()).await;
    assert_eq!((relayed.done, relayed.failed), (1, 0));
    assert_eq!(world.sent(FULFILMENT, "bad"), [2]);
}

#[tokio::test]
async fn two_runs_at_once_leave_nothing_and_skip_nothing() {
    let world = World::new().await;
    for number in 0..20 {
        world.create(&format!("order-{number}")).await;
        world.succeed(&format!("order-{number}")).await;
    }
    let (one, other) = tokio::join!(
        world.payments.relay(Duration::ZERO, soon()),
        world.payments.relay(Duration::ZERO, soon())
    );
    assert_eq!((one.failed, other.failed), (0, 0));
    assert!(world.unsent().await.is_empty());
    for number in 0..20 {
        let sent = world.sent(AUDIT, &format!("order-{number}"));
        let first = |number| sent.iter().position(|sent| *sent == number);
        assert!(first(1).unwrap() < first(2).unwrap(), "{sent:?}");
    }
}

#[tokio::test]
async fn the_relay_ends_at_its_deadline() {
    let world = World::new().await;
    for number in 0..20 {
        world.create(&format!("order-{number}")).await;
    }
    let past = world.payments.relay(Duration::ZERO, Instant::now()).await;
    assert!(!past.in_time && past.done == 0, "{past:?}");
    assert!(world.wire.sent(AUDIT).is_empty());
    let relayed = world.payments.relay(Duration::ZERO, soon()).await;
    assert_eq!((relayed.done, relayed.in_time), (20, true));
}
