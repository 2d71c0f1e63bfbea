//! Tests that an endpoint that is switched on gets what it missed.

use std::sync::Arc;

use payments::model::webhook::{DisabledBy, EndpointState, Health};
use payments::service::webhook::{EnableError, FirstTried};

use crate::system::*;

fn switch_off(system: &System) {
    let now = system.now();
    system.set_health("a", Health::default().disabled(now, DisabledBy::Endpoint));
}

async fn try_enable(
    system: &System,
    from: Option<payments::Timestamp>,
) -> Result<u64, EnableError> {
    let (store, key) = (&system.payments.payments.store, endpoint_key("a"));
    let enabled = system.webhooks.enable(store, &key, from).await;
    enabled.map(|enabled| enabled.payments)
}

async fn enable(system: &System, from: Option<payments::Timestamp>) -> u64 {
    try_enable(system, from).await.unwrap()
}

#[tokio::test]
async fn an_endpoint_that_is_switched_on_gets_the_events_since_a_time() {
    let system = System::new();
    system.emit(PAYMENT, 2).await;
    system.emit("order-2", 1).await;
    system.first_tries().await;
    system.pass(HOUR * 30);
    let off = system.now();
    switch_off(&system);
    system.emit(PAYMENT, 2).await;
    system.emit("order-3", 2).await;
    system.emit_for("other", "order-4", 1).await;
    assert!(
        system
            .first_tries()
            .await
            .iter()
            .all(|tried| *tried != FirstTried::Delivered)
    );
    system.pass(HOUR * 60);

    assert!(enable(&system, Some(off)).await >= 2);
    assert_eq!(system.health("a").state, EndpointState::Enabled);
    system.run().await;
    assert_eq!(system.posted(), [1, 2, 3, 4]);
    assert_eq!(system.posted_of("a", "order-2"), [1]);
    assert_eq!(system.posted_of("a", "order-3"), [1, 2]);
    assert_eq!(system.posted_of("a", "order-4"), Vec::<u64>::new());
    assert_eq!(system.tables().backlogs.len(), 0);
}

#[tokio::test]
async fn an_endpoint_that_is_switched_on_without_a_time_gets_its_backlog_and_new_events() {
    let system = System::new();
    system.answers("a", &[DOWN]);
    system.emit(PAYMENT, 2).await;
    system.first_tries().await;
    system.take_retries();
    switch_off(&system);
    system.emit("order-2", 1).await;
    system.first_tries().await;
    // The events are not too old, because the endpoint was switched off in the meantime.
    system.pass(HOUR * 24 * 20);
    assert_eq!(enable(&system, None).await, 0);
    system.emit("order-2", 1).await;
    system.first_tries().await;
    system.run().await;
    assert_eq!((system.posted(), system.waiting()), (vec![1, 1, 2], None));
    assert_eq!(system.posted_of("a", "order-2"), [2]);
}

#[tokio::test]
async fn an_event_that_comes_while_missed_events_are_searched_waits_behind_them() {
    let system = Arc::new(System::new());
    system.emit(PAYMENT, 2).await;
    system.route().await;
    let from = system.now();
    switch_off(&system);
    // The first write, `hold`, succeeds. All later calls fail.
    system.tables().writes_left = Some(1);
    let enabled = try_enable(&system, Some(from)).await;
    assert!(matches!(enabled, Err(EnableError::Store(_))));
    system.tables().writes_left = None;
    assert_eq!(system.health("a").state, EndpointState::Held);
    system.emit(PAYMENT, 1).await;
    assert_eq!(system.first_tries().await, [FirstTried::Waiting]);
    assert_eq!(system.run().await.delivered, 0);
    assert_eq!(system.waiting(), Some((3, 3, 0)));
    enable(&system, Some(from)).await;
    system.run().await;
    assert_eq!((system.posted(), system.waiting()), (vec![1, 2, 3], None));
}

#[tokio::test]
async fn a_missed_event_that_cannot_be_read_becomes_a_dead_letter() {
    let system = System::new();
    let from = system.now();
    switch_off(&system);
    system.emit(PAYMENT, 2).await;
    system.route().await;
    system.payments.behaviour().damage("211/order-1/1");
    enable(&system, Some(from)).await;
    system.run().await;
    assert_eq!(system.dead_letters(), [(1, "unreadable".to_owned())]);
    assert_eq!((system.posted(), system.waiting()), (vec![2], None));
}

#[tokio::test]
async fn an_unknown_endpoint_is_not_switched_on() {
    let system = System::new();
    let store = &system.payments.payments.store;
    let enabled = system
        .webhooks
        .enable(store, &endpoint_key("b"), None)
        .await;
    assert!(matches!(enabled, Err(EnableError::NotFound)));
    assert_eq!(system.tables().writes, Vec::<&str>::new());
}
