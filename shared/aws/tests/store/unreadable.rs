//! Tests that a damaged item of the table stops only the work on this item.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::model::day::Day;
use payments::ports::{Daily, Index, PaymentStore, ProgressStore, SHARDS, StoreError};
use wire::TABLE;

use crate::world::{World, in_30_seconds, in_an_hour, key};

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn millis(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.unix_millis().to_string())
}

impl World {
    /// Sets an attribute of an item. If `value` is `None`, removes the attribute.
    pub async fn damage(&self, pk: &str, sk: &str, name: &str, value: Option<AttributeValue>) {
        let client = aws_sdk_dynamodb::Client::new(self.wire.config());
        let update = client
            .update_item()
            .table_name(TABLE)
            .key("pk", text(pk))
            .key("sk", text(sk))
            .expression_attribute_names("#name", name);
        let update = match value {
            Some(value) => update
                .update_expression("SET #name = :value")
                .expression_attribute_values(":value", value),
            None => update.update_expression("REMOVE #name"),
        };
        update.send().await.unwrap();
    }

    pub async fn damage_document(&self, id: &str, document: Option<&str>) {
        let pk = format!("payment#{}", key(id));
        self.damage(&pk, "payment", "document", document.map(text))
            .await;
    }
}

fn assert_unreadable<T: std::fmt::Debug>(read: Result<T, StoreError>, item: &str) {
    match read {
        Err(StoreError::Unreadable { item: named, .. }) => assert_eq!(named, item),
        other => panic!("{item}: {other:?}"),
    }
}

#[tokio::test]
async fn the_error_of_a_damaged_payment_contains_the_key_and_no_value() {
    let world = World::new().await;
    world.create("order").await;
    for document in [
        None,
        Some("{"),
        Some(r#"{"last_name":"Janssens"}"#),
        Some(r#"{"project_id":211,"payment_id":"order","attempt":"Janssens"}"#),
    ] {
        world.damage_document("order", document).await;
        let read = world.store().load(&key("order")).await;
        let shown = format!("{read:?}");
        assert!(!shown.contains("Janssens"), "{shown}");
        assert_unreadable(read, "payment#211/order payment");
    }
    world
        .damage("payment#211/order", "payment", "version", None)
        .await;
    let read = world.store().load(&key("order")).await;
    assert_unreadable(read, "payment#211/order payment");
}

#[tokio::test]
async fn the_outbox_sweep_skips_damaged_payments_and_events() {
    let world = World::new().await;
    for number in 0..30 {
        world.create(&format!("poison-{number}")).await;
        let document = Some(r#"{"from":"another release"}"#);
        world
            .damage_document(&format!("poison-{number}"), document)
            .await;
    }
    world.create("order").await;
    world.succeed("order").await;
    world
        .damage(
            "payment#211/order",
            "event#0000000001",
            "content",
            Some(text("{")),
        )
        .await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let run = world
        .sweeper()
        .sweep_outbox(Duration::ZERO, in_30_seconds())
        .await;
    assert_eq!(
        (run.found, run.done, run.unreadable, run.failed),
        (31, 1, 30, 0)
    );
    assert_eq!(world.sent(super::world::AUDIT, "order"), [2]);
    assert_eq!(world.load("order").await.published, 2);
}

#[tokio::test]
async fn unreadable_index_entries_do_not_hide_later_entries() {
    let world = World::new().await;
    world.create("order").await;
    let day = Day::of(world.load("order").await.payment.created_at());
    // In each index, more than one page of unreadable entries comes before the payment.
    for number in 0..130 {
        for shard in 0..SHARDS {
            let pk = format!("!{number:03}#{shard}");
            let since = Timestamp::from_millis(1_000 + number);
            for (name, value) in [
                ("outbox", text(&format!("outbox#{shard:02}"))),
                ("outbox_since", millis(since)),
                ("day", text(&format!("211#{day}#{shard:02}"))),
            ] {
                world.damage(&pk, "damaged", name, Some(value)).await;
            }
        }
    }
    assert_eq!(world.outbox_ids().await, ["211/order"]);
    assert_eq!(world.of_day(day).await, ["211/order"]);
    let due = world.store().due(Index::Outbox, 0, in_an_hour(), None);
    assert!(due.await.is_ok());
}

#[tokio::test]
async fn the_error_of_a_damaged_token_contains_the_hash() {
    let world = World::new().await;
    world.create("order").await;
    world
        .damage("checkout#order", "checkout", "attempt", None)
        .await;
    let read = world.store().checkout_of_token("order").await;
    assert_unreadable(read, "checkout#order checkout");
}

#[tokio::test]
async fn a_damaged_progress_is_replaced_by_the_next_progress() {
    let world = World::new().await;
    let project = ProjectId::new(211).unwrap();
    let until = Timestamp::from_millis(1_900_000_000_000);
    for damaged in [
        text("yesterday"),
        AttributeValue::N("1.5".into()),
        AttributeValue::Bool(true),
    ] {
        world
            .damage("daily#211", "compared", "until", Some(damaged))
            .await;
        let read = world.store().progress(project, Daily::Compare).await;
        assert_unreadable(read, "daily#211 compared");
        world
            .store()
            .advance(project, Daily::Compare, until)
            .await
            .unwrap();
        let read = world.store().progress(project, Daily::Compare).await;
        assert_eq!(read.unwrap(), Some(until));
    }
}
