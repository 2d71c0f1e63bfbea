//! Tests the store of the health of endpoints, of the events that wait for an endpoint (backlogs), and of dead letters.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use payments::PaymentKey;
use payments::model::webhook::{Backlog, DisabledBy, EndpointState, Health};
use payments::ports::{DeadLetter, DeliveryStore, Replaced};
use wire::WEBHOOK_DELIVERIES;

use super::*;
use crate::world::key;

fn later(seconds: u64) -> Timestamp {
    NOW.after(Duration::from_secs(seconds))
}

#[tokio::test]
async fn the_stored_health_changes_like_the_health_of_the_model() {
    let stores = Stores::new().await;
    let (store, id) = (&stores.deliveries, id("ep_1"));
    let mut expected = Health::default();
    assert_eq!(store.health(&id).await.unwrap(), expected);
    for seconds in 0..3 {
        expected = expected.failed(later(seconds));
        let counted = store.count_failure(&id, later(seconds)).await.unwrap();
        assert_eq!(counted, expected);
    }
    let operator = |reason: &str| DisabledBy::Operator {
        reason: reason.into(),
    };
    for (first, second) in [
        (DisabledBy::Endpoint, operator("moved")),
        (operator("moved"), operator("again")),
        (operator("again"), DisabledBy::Endpoint),
        (DisabledBy::Endpoint, DisabledBy::Endpoint),
    ] {
        for (seconds, by) in [(6, first), (7, second)] {
            let is_first = expected.state == EndpointState::Enabled;
            expected = expected.disabled(later(seconds), by.clone());
            let disabled = store.disable(&id, later(seconds), by).await;
            assert_eq!(disabled.unwrap(), is_first);
            assert_eq!(store.health(&id).await.unwrap(), expected);
        }
        expected = expected.held();
        store.hold(&id).await.unwrap();
        assert_eq!(store.health(&id).await.unwrap(), expected);
        expected = expected.enabled(later(7));
        store.enable(&id, later(7)).await.unwrap();
        assert_eq!(store.health(&id).await.unwrap(), expected);
    }
    expected = expected.failed(later(8)).delivered();
    store.count_failure(&id, later(8)).await.unwrap();
    store.count_success(&id).await.unwrap();
    assert_eq!(store.health(&id).await.unwrap(), expected);
}

#[tokio::test]
async fn a_call_that_switched_an_endpoint_off_says_so_although_its_first_answer_was_lost() {
    let stores = Stores::new().await;
    stores.wire.lose_next_answer_of("UpdateItem");
    let (store, id) = (&stores.deliveries, id("ep_1"));
    let disabled = store.disable(&id, NOW, DisabledBy::Endpoint).await;
    assert!(disabled.unwrap());
}

#[tokio::test]
async fn all_events_of_an_endpoint_wait_if_only_a_newer_release_knows_its_state() {
    let stores = Stores::new().await;
    let client = aws_sdk_dynamodb::Client::new(stores.wire.config());
    let text = |value: &str| AttributeValue::S(value.into());
    let put = client
        .put_item()
        .table_name(WEBHOOK_DELIVERIES)
        .item("pk", text("endpoint#ep_1"))
        .item("sk", text("health"))
        .item("state", text("later"));
    put.send().await.unwrap();
    let health = stores.deliveries.health(&id("ep_1")).await.unwrap();
    assert_eq!(health, Health::default().held());
}

#[tokio::test]
async fn a_backlog_is_written_only_over_the_version_that_was_read() {
    let stores = Stores::new().await;
    let (store, id, payment) = (&stores.deliveries, id("ep_1"), key("Order-1"));
    let replace = async |over: Option<&Backlog>, new: Option<&Backlog>| {
        store
            .replace_backlog(&id, &payment, over, new)
            .await
            .unwrap()
    };
    let first = Backlog::after_failure(3, NOW, later(5));
    let second = first.with(5, 5, later(1)).unwrap();
    assert_eq!(
        replace(Some(&first), Some(&second)).await,
        Replaced::Conflict(None)
    );
    assert_eq!(replace(Some(&first), None).await, Replaced::Conflict(None));
    assert_eq!(replace(None, Some(&first)).await, Replaced::Done);
    assert_eq!(
        store.backlog(&id, &payment).await.unwrap(),
        Some(first.clone())
    );
    let other = Backlog::of(4, 4, later(2));
    let conflict = Replaced::Conflict(Some(first.clone()));
    assert_eq!(replace(None, Some(&other)).await, conflict);
    assert_eq!(replace(Some(&other), Some(&second)).await, conflict);
    assert_eq!(replace(Some(&second), None).await, conflict);
    assert_eq!(replace(Some(&first), Some(&second)).await, Replaced::Done);
    assert_eq!(replace(Some(&second), None).await, Replaced::Done);
    assert_eq!(store.backlog(&id, &payment).await.unwrap(), None);
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_no_conflict() {
    let stores = Stores::new().await;
    let item = Backlog::of(1, 1, NOW);
    stores.wire.lose_next_answer_of("UpdateItem");
    let (id, payment) = (id("ep_1"), key("order-1"));
    let written = stores
        .deliveries
        .replace_backlog(&id, &payment, None, Some(&item));
    assert_eq!(written.await.unwrap(), Replaced::Done);
}

#[tokio::test]
async fn the_index_lists_the_waiting_payments_of_an_endpoint_in_the_order_of_their_due_times() {
    let stores = Stores::new().await;
    let store = &stores.deliveries;
    let put = async |endpoint: &str, payment: &PaymentKey, due: u64| {
        let item = Backlog::after_failure(1, NOW, later(due));
        let id = id(endpoint);
        let put = store.replace_backlog(&id, payment, None, Some(&item));
        assert_eq!(put.await.unwrap(), Replaced::Done);
    };
    for (payment, due) in [("a", 30), ("b", 10), ("c", 20), ("d", 40)] {
        put("ep_1", &key(payment), due).await;
    }
    put("ep_2", &key("e"), 1).await;
    let waiting = async |max: usize| {
        let waiting = store.waiting(&id("ep_1"), max).await.unwrap();
        waiting
            .into_iter()
            .map(|entry| (entry.payment, entry.since, entry.due))
            .collect::<Vec<_>>()
    };
    let entry = |payment: &str, due: u64| (key(payment), NOW, later(due));
    assert_eq!(waiting(2).await, [entry("b", 10), entry("c", 20)]);
    let all = [
        entry("b", 10),
        entry("c", 20),
        entry("a", 30),
        entry("d", 40),
    ];
    assert_eq!(waiting(100).await, all);
    let item = store
        .backlog(&id("ep_1"), &key("b"))
        .await
        .unwrap()
        .unwrap();
    let (id, payment) = (id("ep_1"), key("b"));
    let deleted = store
        .replace_backlog(&id, &payment, Some(&item), None)
        .await;
    assert_eq!(deleted.unwrap(), Replaced::Done);
    assert_eq!(waiting(100).await.len(), 3);
}

#[tokio::test]
async fn unlist_keeps_an_endpoint_that_was_put_on_the_list_again_after_the_list_was_read() {
    let stores = Stores::new().await;
    let store = &stores.deliveries;
    let endpoint = endpoint_key("shop/2", "ep_1");
    store.list(&endpoint, NOW).await.unwrap();
    let listed = store.listed().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].key, listed[0].at), (&endpoint, NOW));
    store.list(&endpoint, later(1)).await.unwrap();
    store.unlist(&listed[0]).await.unwrap();
    let again = store.listed().await.unwrap();
    assert_eq!(again[0].at, later(1));
    store.unlist(&again[0]).await.unwrap();
    assert_eq!(store.listed().await.unwrap(), []);
}

#[tokio::test]
async fn dead_letters_are_listed_in_pages_by_payment_and_event() {
    let stores = Stores::new().await;
    let (store, id) = (&stores.deliveries, id("ep_1"));
    let letter = |payment: &str, sequence: u64| DeadLetter {
        payment: key(payment),
        sequence,
        since: NOW,
        at: later(9),
        error: "refused 503".into(),
    };
    let mut expected = Vec::new();
    for number in 0..60 {
        let payment = format!("order-{number:02}");
        expected.extend([letter(&payment, 9), letter(&payment, 10)]);
    }
    for letter in expected.iter().rev() {
        store.put_dead_letter(&id, letter).await.unwrap();
        store.put_dead_letter(&id, letter).await.unwrap();
    }
    // Other items of the endpoint are no dead letters.
    store.count_failure(&id, NOW).await.unwrap();
    let (mut found, mut after): (Vec<DeadLetter>, Option<DeadLetter>) = (Vec::new(), None);
    loop {
        let page = store.dead_letters(&id, after.as_ref()).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        found.extend(page);
    }
    assert_eq!(found, expected);
    store.delete_dead_letter(&id, &expected[0]).await.unwrap();
    let first = store.dead_letters(&id, None).await.unwrap();
    assert_eq!(first[0], expected[1]);
}
