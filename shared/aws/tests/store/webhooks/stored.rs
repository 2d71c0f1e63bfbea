//! Tests that the items of an endpoint are counted, and deleted after the endpoint was removed.

use std::time::Duration;

use aws::dynamodb::webhooks::StoredCounts;
use aws_sdk_dynamodb::types::AttributeValue;
use payments::model::webhook::{Backlog, DisabledBy, EndpointState};
use payments::ports::{DeadLetter, DeliveryStore, Replaced};
use wire::WEBHOOK_DELIVERIES;

use super::*;
use crate::world::key;

const COUNT: u64 = 130;

async fn fill(stores: &Stores, endpoint_id: &str) {
    let (store, id) = (&stores.deliveries, id(endpoint_id));
    let endpoint = endpoint_key("shop", endpoint_id);
    store.list(&endpoint, NOW).await.unwrap();
    for number in 0..COUNT {
        let payment = key(&format!("order-{number}"));
        let item = Backlog::of(1, 1, NOW);
        let put = store.replace_backlog(&id, &payment, None, Some(&item));
        assert_eq!(put.await.unwrap(), Replaced::Done);
        let letter = DeadLetter {
            payment,
            sequence: 1,
            since: NOW,
            at: NOW,
            error: "timeout".into(),
        };
        store.put_dead_letter(&id, &letter).await.unwrap();
    }
    store.disable(&id, NOW, DisabledBy::Endpoint).await.unwrap();
}

#[tokio::test]
async fn the_items_of_an_endpoint_are_counted_apart_from_others() {
    let stores = Stores::new().await;
    fill(&stores, "ep_1").await;
    let counts = |waiting, dead_letters| StoredCounts {
        waiting,
        dead_letters,
    };
    let store = &stores.deliveries;
    assert_eq!(
        store.counts(&id("ep_1")).await.unwrap(),
        counts(COUNT, COUNT)
    );
    assert_eq!(store.counts(&id("ep_2")).await.unwrap(), counts(0, 0));
}

#[tokio::test]
async fn the_items_of_a_removed_endpoint_are_deleted_and_its_health_expires() {
    let stores = Stores::new().await;
    for endpoint_id in ["ep_1", "ep_2"] {
        fill(&stores, endpoint_id).await;
    }
    let store = &stores.deliveries;
    assert_eq!(store.forget(&id("ep_1"), NOW).await.unwrap(), 2 * COUNT);
    let counts = store.counts(&id("ep_1")).await.unwrap();
    assert_eq!((counts.waiting, counts.dead_letters), (0, 0));
    let health = store.health(&id("ep_1")).await.unwrap();
    assert!(matches!(health.state, EndpointState::Disabled { .. }));
    let client = aws_sdk_dynamodb::Client::new(stores.wire.config());
    let expiry = async |pk: &str| {
        let get = client
            .get_item()
            .table_name(WEBHOOK_DELIVERIES)
            .key("pk", AttributeValue::S(pk.into()))
            .key("sk", AttributeValue::S("health".into()));
        let item = get.send().await.unwrap().item.unwrap();
        item.get("expires_at").cloned()
    };
    let end = NOW.after(Duration::from_secs(90 * 24 * 3_600));
    let expected = AttributeValue::N(end.unix_seconds().to_string());
    assert_eq!(expiry("endpoint#ep_1").await, Some(expected));
    assert_eq!(expiry("endpoint#ep_2").await, None);
    let listed = store.listed().await.unwrap();
    let listed: Vec<&str> = listed.iter().map(|listed| listed.key.id.as_str()).collect();
    assert_eq!(listed, ["ep_2"]);
    let counts = store.counts(&id("ep_2")).await.unwrap();
    assert_eq!((counts.waiting, counts.dead_letters), (COUNT, COUNT));

    assert_eq!(store.forget(&id("ep_1"), NOW).await.unwrap(), 0);
    assert_eq!(store.forget(&id("ep_3"), NOW).await.unwrap(), 0);
    let health = store.health(&id("ep_3")).await.unwrap();
    assert_eq!(health.state, EndpointState::Enabled);
}
