//! Tests that an endpoint that is switched on gets what it missed, with the tables of the template.

use std::time::Duration;

use aws::dynamodb::webhooks::{WebhookDeliveries, WebhookEndpoints};
use payments::PaymentKey;
use payments::model::webhook::{DisabledBy, EndpointState, RetrySchedule};
use payments::ports::{Clock, DeadLetter, DeliveryStore, PaymentStore};
use payments::service::webhook::Webhooks;

use super::*;
use crate::world::{World, commit, created_for, key};

/// A clock with the system's time that does not sleep.
struct Awake;

impl Clock for Awake {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, _: Duration) {}

    fn random(&self, _: u64) -> u64 {
        0
    }
}

/// Creates the endpoint `ep_1` of the storefront `shop`, which is switched off.
async fn switched_off(world: &World) -> Webhooks<WebhookEndpoints, WebhookDeliveries, Awake> {
    let store = world.store();
    let webhooks = Webhooks {
        endpoints: store.webhook_endpoints(WEBHOOK_ENDPOINTS, LoopbackHosts::Refused),
        deliveries: store.webhook_deliveries(WEBHOOK_DELIVERIES),
        clock: Awake,
        schedule: RetrySchedule::default(),
    };
    let endpoint = endpoint("shop", "ep_1");
    assert!(webhooks.endpoints.add(&endpoint).await.unwrap());
    let (now, reason) = (Timestamp::now(), "moved".to_owned());
    let by = DisabledBy::Operator { reason };
    let disabled = webhooks.deliveries.disable(&endpoint.key.id, now, by).await;
    assert!(disabled.unwrap());
    webhooks
}

async fn waiting(
    webhooks: &Webhooks<WebhookEndpoints, WebhookDeliveries, Awake>,
    payment: &PaymentKey,
) -> Option<(u64, u64)> {
    let item = webhooks.deliveries.backlog(&id("ep_1"), payment).await;
    item.unwrap().map(|item| (item.next, item.through))
}

#[tokio::test]
async fn an_endpoint_that_is_switched_on_gets_the_missed_events_of_its_storefront() {
    let world = World::new().await;
    let webhooks = switched_off(&world).await;
    world.create("order-1").await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let from = Timestamp::now();
    for (storefront, payment) in [("shop", "order-2"), ("other", "order-3")] {
        let change = created_for(storefront, payment, payment);
        world.store().commit(commit(&change, None)).await.unwrap();
    }
    world.succeed("order-1").await;

    let endpoint = endpoint_key("shop", "ep_1");
    let enabled = webhooks.enable(world.store(), &endpoint, Some(from)).await;
    assert_eq!(enabled.unwrap().payments, 2);
    assert_eq!(waiting(&webhooks, &key("order-1")).await, Some((2, 2)));
    assert_eq!(waiting(&webhooks, &key("order-2")).await, Some((1, 1)));
    assert_eq!(waiting(&webhooks, &key("order-3")).await, None);
    let health = webhooks.deliveries.health(&endpoint.id).await.unwrap();
    assert_eq!(health.state, EndpointState::Enabled);
    assert_eq!(webhooks.deliveries.listed().await.unwrap().len(), 1);
}

#[tokio::test]
async fn dead_letters_become_waiting_events_again() {
    let world = World::new().await;
    let webhooks = switched_off(&world).await;
    let (store, endpoint) = (&webhooks.deliveries, endpoint_key("shop", "ep_1"));
    for (payment, sequence) in [("a/1", 2), ("a/1", 3), ("b", 1)] {
        let letter = DeadLetter {
            payment: key(payment),
            sequence,
            since: NOW,
            at: NOW,
            error: "timeout".into(),
        };
        store.put_dead_letter(&endpoint.id, &letter).await.unwrap();
    }
    let only = key("a/1");
    let moved = webhooks.redeliver(&endpoint, Some(&only)).await;
    assert_eq!(moved.unwrap(), 2);
    assert_eq!(waiting(&webhooks, &only).await, Some((2, 3)));
    assert_eq!(waiting(&webhooks, &key("b")).await, None);
    assert_eq!(webhooks.redeliver(&endpoint, None).await.unwrap(), 1);
    assert_eq!(waiting(&webhooks, &key("b")).await, Some((1, 1)));
    let counts = store.counts(&endpoint.id).await.unwrap();
    assert_eq!((counts.waiting, counts.dead_letters), (2, 0));
}
