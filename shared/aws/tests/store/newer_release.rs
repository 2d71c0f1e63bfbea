//! Tests items that a newer release wrote. This release does not know some attributes, fields, types of events, or
//! words (stored values of an enumeration) of these items.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use payments::Timestamp;
use payments::ports::{Commit, Daily, PaymentStore, ProgressStore, Run, RunStore, Stored};
use serde_json::{Value, json};
use wire::TABLE;

use crate::world::*;

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

async fn document(world: &World, id: &str) -> Value {
    match world.attribute(id, "document").await {
        Some(AttributeValue::S(document)) => serde_json::from_str(&document).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Changes the stored document as the newer release would.
async fn rewrite(world: &World, id: &str, change: impl FnOnce(&mut Value)) {
    let mut document = document(world, id).await;
    change(&mut document);
    let document = document.to_string();
    world.damage_document(id, Some(&document)).await;
}

async fn sweep(world: &World) {
    tokio::time::sleep(Duration::from_millis(5)).await;
    let sweeper = world.sweeper();
    let run = sweeper.sweep_outbox(Duration::ZERO, in_30_seconds()).await;
    assert_eq!((run.failed, run.unreadable), (0, 0), "{run:?}");
}

/// Returns all items of the table by their keys.
async fn items(world: &World) -> HashMap<(String, String), HashMap<String, AttributeValue>> {
    let client = Client::new(world.wire.config());
    let scan = client.scan().table_name(TABLE).send().await.unwrap();
    let key = |item: &HashMap<String, AttributeValue>, name| item[name].as_s().unwrap().clone();
    let items = scan.items.unwrap_or_default().into_iter();
    let items = items.map(|item| ((key(&item, "pk"), key(&item, "sk")), item));
    items.collect()
}

#[tokio::test]
async fn an_unknown_field_survives_a_commit() {
    let world = World::new().await;
    world.create("order").await;
    rewrite(&world, "order", |document| {
        document["format"] = json!(2);
        document["order"]["next"] = json!("kept");
    })
    .await;
    world.succeed("order").await;
    let document = document(&world, "order").await;
    assert_eq!(document["format"], 2);
    assert_eq!(document["order"]["next"], "kept");
    assert_eq!(document["sequence"], 2);
}

#[tokio::test]
async fn a_payment_with_an_unknown_word_waits_in_the_outbox_for_the_newer_release() {
    let world = World::new().await;
    world.create("order").await;
    sweep(&world).await;
    assert_eq!(world.outbox().await, []);
    rewrite(&world, "order", |document| {
        document["order"]["channel"] = json!("next");
    })
    .await;
    world.succeed("order").await;
    sweep(&world).await;
    assert_eq!(world.outbox_ids().await, ["211/order"]);
    assert_eq!(world.sent(AUDIT, "order"), [1]);
    assert_eq!(document(&world, "order").await["order"]["channel"], "next");

    // This test has no newer release. So the word becomes the known word `gate`, and this release acts as the newer
    // release.
    rewrite(&world, "order", |document| {
        document["order"]["channel"] = json!("gate");
    })
    .await;
    sweep(&world).await;
    assert_eq!(world.sent(AUDIT, "order"), [1, 2]);
    assert_eq!(world.outbox().await, []);
}

#[tokio::test]
async fn a_payment_leaves_the_outbox_if_the_newer_release_has_no_event_to_emit() {
    let world = World::new().await;
    world.create("order").await;
    sweep(&world).await;
    let before = document(&world, "order").await.to_string();
    rewrite(&world, "order", |document| {
        document["order"]["channel"] = json!("next");
    })
    .await;
    let stored = world.load("order").await;
    let change = without_events(&stored);
    let commit = commit(&change, Some(&stored));
    world.store().commit(commit).await.unwrap();
    sweep(&world).await;
    assert_eq!(world.outbox_ids().await, ["211/order"]);
    // With `false`, the newer release has already written the document.
    for is_underived in [true, false] {
        let mut document: Value = serde_json::from_str(&before).unwrap();
        document["is_underived"] = json!(is_underived);
        let document = document.to_string();
        world.damage_document("order", Some(&document)).await;
        sweep(&world).await;
        assert_eq!(world.outbox().await, []);
    }
}

#[tokio::test]
async fn an_event_of_an_unknown_type_is_sent_to_the_queues_that_want_it() {
    let world = World::new().await;
    world.create("order").await;
    let event = ["payment#211/order", "event#0000000001"];
    let kind = Some(text("payment.next"));
    world.damage(event[0], event[1], "kind", kind).await;
    sweep(&world).await;
    let sent = world.wire.sent(AUDIT);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["type"], "payment.next");
    assert!(world.sent(FULFILMENT, "order").is_empty());
    assert_eq!(world.load("order").await.published, 1);
}

#[tokio::test]
async fn every_kind_of_item_keeps_the_attributes_of_another_release() {
    let world = World::new().await;
    let project_id = key("one").project_id();
    for id in ["zero", "one"] {
        // The sale is reported on a later day, so the payment belongs to two days.
        let change = created_at("shop", id, "order-1", Timestamp::now().before(TWO_DAYS));
        let commit = Commit {
            token_hash: Some(id),
            ..commit(&change, None)
        };
        world.store().commit(commit).await.unwrap();
    }
    let created = world.load("one").await;
    world.succeed("zero").await;
    let run = Run {
        project_id,
        daily: Daily::Report,
        from: Timestamp::now(),
        to: Timestamp::now(),
        id: "run".into(),
        is_scheduled: true,
    };
    let write_again = async || {
        let stored = world.load("one").await;
        // The change adds the day and the order again, because `over` has neither.
        let over = Stored {
            payment: created.payment.clone(),
            ..stored.clone()
        };
        let change = without_events(&stored);
        world
            .store()
            .commit(commit(&change, Some(&over)))
            .await
            .unwrap();
        world.mark("one", 1).await;
        let until = Timestamp::now();
        let advanced = world
            .store()
            .advance(project_id, Daily::Report, until)
            .await;
        advanced.unwrap();
        let claimed = world.store().claim_wait_slot("slot", until, until).await;
        claimed.unwrap();
        world.store().add_project(project_id).await.unwrap();
        let put = world.store().put(&run, None, "closed", String::new());
        put.await.unwrap();
    };
    world.succeed("one").await;
    write_again().await;
    let before = items(&world).await;
    for (pk, sk) in before.keys() {
        let next = Some(text("kept"));
        world.damage(pk, sk, "of_next_release", next).await;
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    write_again().await;
    let after = items(&world).await;
    for key in before.keys() {
        assert_eq!(
            after[key].get("of_next_release"),
            Some(&text("kept")),
            "{key:?}"
        );
    }
    let kind = |(pk, sk): &(String, String)| {
        let [pk, sk] = [pk, sk].map(|key| key.split('#').next().unwrap().to_owned());
        format!("{pk} {sk}")
    };
    let kinds: BTreeSet<String> = after.keys().map(kind).collect();
    let expected = [
        "checkout checkout",
        "daily reported",
        "order first",
        "order paid",
        "payment day",
        "payment event",
        "payment payment",
        "projects 211",
        "run closed",
        "wait wait",
    ];
    assert_eq!(Vec::from_iter(kinds), expected);
}
