//! What was committed and not sent.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use payments::Timestamp;
use payments::decide::{Fact, SignedReport, decide};
use payments::ports::PaymentStore;
use tokio::time::Instant;
use wire::TABLE;

use crate::world::{AUDIT, FULFILMENT, World, commit, created, key, report, soon};

#[tokio::test]
async fn the_relay_sends_in_order_what_was_left_behind_and_nothing_else() {
    let world = World::new().await;
    for number in 0..40 {
        world.create(&format!("order-{number}")).await;
        world.succeed(&format!("order-{number}")).await;
    }
    let young = world
        .payments
        .sweep_outbox(Duration::from_secs(30), soon())
        .await;
    assert_eq!((young.found, young.oldest_s), (0, 0), "still at it");
    assert!(world.wire.sent(AUDIT).is_empty());

    tokio::time::sleep(Duration::from_millis(1_100)).await;
    world.wire.forget();
    let relayed = world.payments.sweep_outbox(Duration::ZERO, soon()).await;
    assert_eq!((relayed.found, relayed.done, relayed.failed), (40, 40, 0));
    assert!(relayed.in_time && relayed.oldest_s >= 1, "{relayed:?}");
    for number in 0..40 {
        let id = format!("order-{number}");
        assert_eq!(world.sent(AUDIT, &id), [1, 2]);
        assert_eq!(world.sent(FULFILMENT, &id), [2]);
    }
    let at_once = world.wire.max_concurrent("SendMessage");
    assert!((4..=32).contains(&at_once), "{at_once} sends at once");
    assert!(world.outbox().await.is_empty());
    assert_eq!(
        world
            .payments
            .sweep_outbox(Duration::ZERO, soon())
            .await
            .found,
        0
    );
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
        let fact = Fact::Callback(SignedReport {
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
    let told = world.load("many").await.payment.sequence();
    assert!(told < 50, "{told} events in one change");
    let later = || Instant::now() + Duration::from_secs(600);
    let relayed = world.payments.sweep_outbox(Duration::ZERO, later()).await;
    assert_eq!((relayed.done, relayed.failed), (0, 1));
    assert_eq!(world.unsent_ids().await, ["211/many"]);
    world.wire.repair_queues();
    let relayed = world.payments.sweep_outbox(Duration::ZERO, later()).await;
    assert_eq!((relayed.done, relayed.failed), (1, 0));
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
    // Of 400 KB, and of the 256 KiB that a queue's message had as its limit for long.
    assert!(document.len() < 300_000 && largest < 256 * 1024);
}

#[tokio::test]
async fn the_relay_goes_through_every_page_however_many_fail() {
    let world = World::new().await;
    world.create("last").await;
    let last = world.outbox().await.remove(0);
    let shard = world.attribute("last", "outbox").await.unwrap();
    // Two pages and more, before the good one and in its shard, of what cannot be read.
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
    let relayed = world.payments.sweep_outbox(Duration::ZERO, soon()).await;
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
    let relayed = world.payments.sweep_outbox(Duration::ZERO, soon()).await;
    assert_eq!((relayed.found, relayed.done, relayed.failed), (2, 1, 1));
    assert!(relayed.failure.unwrap().starts_with("211/bad: "));
    assert_eq!(world.unsent_ids().await, ["211/bad"]);

    world.wire.repair_queues();
    let relayed = world.payments.sweep_outbox(Duration::ZERO, soon()).await;
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
        world.payments.sweep_outbox(Duration::ZERO, soon()),
        world.payments.sweep_outbox(Duration::ZERO, soon())
    );
    assert_eq!((one.failed, other.failed), (0, 0));
    assert!(world.outbox().await.is_empty());
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
    let past = world
        .payments
        .sweep_outbox(Duration::ZERO, Instant::now())
        .await;
    assert!(!past.in_time && past.done == 0, "{past:?}");
    assert!(world.wire.sent(AUDIT).is_empty());
    let relayed = world.payments.sweep_outbox(Duration::ZERO, soon()).await;
    assert_eq!((relayed.done, relayed.in_time), (20, true));
}
