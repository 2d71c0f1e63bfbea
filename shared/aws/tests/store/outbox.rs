//! Tests the outbox sweep.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use payments::Timestamp;
use payments::decide::{Fact, SignedReport, decide};
use payments::ports::PaymentStore;
use payments::service::sweep::batch_run::BatchRun;
use tokio::time::Instant;
use wire::TABLE;

use crate::world::{AUDIT, FULFILMENT, World, commit, created, in_30_seconds, key, report};

async fn sweep(world: &World) -> BatchRun {
    let sweeper = world.sweeper();
    let sweep = sweeper.sweep_outbox(Duration::ZERO, in_30_seconds());
    sweep.await
}

#[tokio::test]
async fn a_sweep_publishes_the_events_older_than_the_grace_period_in_order() {
    let world = World::new().await;
    for number in 0..40 {
        world.create(&format!("order-{number}")).await;
        world.succeed(&format!("order-{number}")).await;
    }
    let grace = Duration::from_secs(30);
    let run = world.sweeper().sweep_outbox(grace, in_30_seconds()).await;
    assert_eq!((run.found, run.oldest_s), (0, 0));
    assert!(world.wire.sent(AUDIT).is_empty());

    tokio::time::sleep(Duration::from_millis(1_100)).await;
    world.wire.forget();
    let run = sweep(&world).await;
    assert_eq!((run.found, run.done, run.failed), (40, 40, 0));
    assert!(run.in_time && run.oldest_s >= 1, "{run:?}");
    for number in 0..40 {
        let id = format!("order-{number}");
        assert_eq!(world.sent(AUDIT, &id), [1, 2]);
        assert_eq!(world.sent(FULFILMENT, &id), [2]);
    }
    let concurrent = world.wire.max_concurrent("SendMessage");
    assert!((4..=32).contains(&concurrent), "{concurrent} sends");
    assert!(world.outbox().await.is_empty());
    assert_eq!(sweep(&world).await.found, 0);
}

/// The refunds are reported before the sale. Therefore the sale causes more events than one commit emits. The test
/// makes only the first of the necessary commits, as a function does that crashes after this commit. The test uses 120
/// refunds, or 500 with `LONG=1`.
#[tokio::test]
async fn a_sweep_publishes_all_events_of_a_payment_with_hundreds_of_operations() {
    let long = std::env::var("LONG").is_ok_and(|long| long == "1");
    let last = if long { 501 } else { 121 };
    let world = World::new().await;
    let mut many = created("many");
    let name = "x".repeat(80);
    for operation in 2..=last {
        let mut report = report("many", operation, "refund", 2);
        report.operations[0].request_id = Some(format!("{name}-{operation}"));
        let fact = Fact::Callback(SignedReport {
            report: &report,
            canonical: &operation.to_string(),
        });
        let refund = decide(Some(&many.payment), fact, Timestamp::now()).unwrap();
        assert!(refund.events.is_empty());
        many.payment = refund.payment;
    }
    world.store().commit(commit(&many, None)).await.unwrap();
    world.wire.break_queue(AUDIT);
    world.succeed("many").await;
    let emitted = world.load("many").await.payment.sequence();
    assert!(emitted < 50, "{emitted} events");
    let in_10_minutes = || Instant::now() + Duration::from_secs(600);
    let sweep = async || {
        let sweeper = world.sweeper();
        let sweep = sweeper.sweep_outbox(Duration::ZERO, in_10_minutes());
        sweep.await
    };
    let run = sweep().await;
    assert_eq!((run.done, run.failed), (0, 1));
    assert_eq!(world.outbox_ids().await, ["211/many"]);
    world.wire.repair_queues();
    let run = sweep().await;
    assert_eq!((run.done, run.failed), (1, 0));
    assert!(world.outbox().await.is_empty());

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
    // DynamoDB accepts items of up to 400 KB, and SQS accepts messages of up to 1 MiB. The test is stricter.
    assert!(document.len() < 300_000 && largest < 256 * 1024);
}

#[tokio::test]
async fn a_sweep_reads_the_next_page_when_the_payments_of_a_page_are_unreadable() {
    let world = World::new().await;
    world.create("last").await;
    let last = world.outbox().await.remove(0);
    let shard = world.attribute("last", "outbox").await.unwrap();
    // In the shard of this payment, 230 unreadable payments come before the payment: more than two pages.
    let client = aws_sdk_dynamodb::Client::new(world.wire.config());
    for number in 0..230 {
        let since = last.since.unix_millis() - 1 - number / 50;
        let put = client.put_item().table_name(TABLE);
        let put = put
            .item("pk", AttributeValue::S(format!("payment#211/bad-{number}")))
            .item("sk", AttributeValue::S("payment".into()))
            .item("outbox", shard.clone())
            .item("outbox_since", AttributeValue::N(since.to_string()));
        put.send().await.unwrap();
    }
    let run = sweep(&world).await;
    assert_eq!((run.found, run.done, run.unreadable), (231, 1, 230));
    assert_eq!(world.sent(AUDIT, "last"), [1]);
}

#[tokio::test]
async fn a_payment_whose_event_cannot_be_sent_delays_no_other_payment_and_is_retried() {
    let world = World::new().await;
    world.wire.break_queue(FULFILMENT);
    for id in ["bad", "good"] {
        world.create(id).await;
    }
    world.succeed("bad").await;
    let run = sweep(&world).await;
    assert_eq!((run.found, run.done, run.failed), (2, 1, 1));
    assert!(run.failure.unwrap().starts_with("211/bad: "));
    assert_eq!(world.outbox_ids().await, ["211/bad"]);

    world.wire.repair_queues();
    let run = sweep(&world).await;
    assert_eq!((run.done, run.failed), (1, 0));
    assert_eq!(world.sent(FULFILMENT, "bad"), [2]);
}

#[tokio::test]
async fn two_concurrent_sweeps_publish_every_event_in_order() {
    let world = World::new().await;
    for number in 0..20 {
        world.create(&format!("order-{number}")).await;
        world.succeed(&format!("order-{number}")).await;
    }
    let (one, other) = tokio::join!(sweep(&world), sweep(&world));
    assert_eq!((one.failed, other.failed), (0, 0));
    assert!(world.outbox().await.is_empty());
    for number in 0..20 {
        let sent = world.sent(AUDIT, &format!("order-{number}"));
        let first = |number| sent.iter().position(|sent| *sent == number);
        assert!(first(1).unwrap() < first(2).unwrap(), "{sent:?}");
    }
}

#[tokio::test]
async fn a_sweep_after_its_deadline_publishes_nothing() {
    let world = World::new().await;
    for number in 0..20 {
        world.create(&format!("order-{number}")).await;
    }
    let sweeper = world.sweeper();
    let late = sweeper.sweep_outbox(Duration::ZERO, Instant::now());
    let late = late.await;
    assert!(!late.in_time && late.done == 0, "{late:?}");
    assert!(world.wire.sent(AUDIT).is_empty());
    let run = sweep(&world).await;
    assert_eq!((run.done, run.in_time), (20, true));
}
