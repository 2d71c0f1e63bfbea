//! Tests that each event becomes one message for each endpoint that wants it.

use std::collections::BTreeSet;

use payments::ports::{Delivery, FirstTry};

use crate::system::*;

fn sent(tries: &[FirstTry]) -> Vec<(&str, u64)> {
    let sent = tries.iter();
    sent.map(|one| (one.endpoint.id.as_str(), one.sequence))
        .collect()
}

#[tokio::test]
async fn an_event_is_sent_to_each_endpoint_of_its_storefront_that_wants_its_type() {
    let system = System::new();
    system.add_endpoint("b", &[created()]);
    system.emit(PAYMENT, 2).await;
    system.emit_for("other", "order-2", 2).await;
    let tries = system.route().await;
    assert_eq!(sent(&tries), [("a", 1), ("b", 1), ("a", 2)]);
    assert_eq!(tries[0], first_try(1));
}

#[tokio::test]
async fn an_event_of_a_payment_without_a_storefront_is_not_sent() {
    let system = System::new();
    system.emit(PAYMENT, 1).await;
    let mut events = system.published();
    events[0].storefront = None;
    let (failed, _) = system.webhooks.route(&events, &system.first_tries).await;
    assert_eq!(failed, BTreeSet::new());
    assert_eq!(system.take_first_tries(), []);
}

#[tokio::test]
async fn after_a_failed_send_no_later_event_of_the_payment_is_sent() {
    let system = System::new();
    system.add_endpoint("b", &[]);
    for id in [PAYMENT, "order-2"] {
        system.emit(id, 1).await;
    }
    // The groups of the two payments differ, so only one payment is affected.
    let groups = {
        system.route().await;
        system.emit(PAYMENT, 2).await;
        system.emit("order-2", 2).await;
        let events = system.published();
        system.webhooks.route(&events, &system.first_tries).await;
        let messages = system.first_tries.take_all();
        let group_of = |id: &str| {
            let is_of = |delivery: &Delivery| matches!(delivery, Delivery::FirstTry(one) if one.payment_id == id);
            let of = messages.iter().find(|message| is_of(&message.delivery));
            of.unwrap().group.clone()
        };
        (group_of(PAYMENT), group_of("order-2"), events)
    };
    let (group, other, events) = groups;
    assert_ne!(group, other);
    system.first_tries.break_group(&group);
    let (failed, failure) = system.webhooks.route(&events, &system.first_tries).await;
    assert!(failure.unwrap().contains("down"));
    let of_payment = |number: &usize| events[*number].payment == payment(PAYMENT);
    let expected: BTreeSet<usize> = (0..events.len()).filter(of_payment).collect();
    assert_eq!(failed, expected);
    // The endpoint `b` has another group, so it gets the first event, and not the second.
    let of_payment = system.take_first_tries();
    let of_payment = of_payment.iter().filter(|one| one.payment_id == PAYMENT);
    let sent: Vec<_> = of_payment
        .map(|one| (one.endpoint.id.as_str(), one.sequence))
        .collect();
    assert_eq!(sent, [("b", 2)]);
}

#[tokio::test]
async fn events_are_routed_again_if_the_endpoints_cannot_be_listed() {
    let system = System::new();
    system.emit(PAYMENT, 2).await;
    let events = system.published();
    system.webhooks.endpoints.tables().writes_left = Some(0);
    let (failed, failure) = system.webhooks.route(&events, &system.first_tries).await;
    assert_eq!(failed, [0, 1].into());
    assert!(failure.is_some());
    assert_eq!(system.take_first_tries(), []);
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_read_gets_messages() {
    let system = System::new();
    system.add_endpoint("b", &["refund.returned"]);
    system
        .webhooks
        .endpoints
        .tables()
        .unreadable
        .insert(endpoint_id("b"));
    system.emit(PAYMENT, 1).await;
    let tries = system.route().await;
    assert_eq!(sent(&tries), [("a", 1), ("b", 1)]);
}

#[tokio::test]
async fn a_republished_event_has_another_deduplication_id_and_a_repeated_message_does_not() {
    let system = System::new();
    system.emit(PAYMENT, 1).await;
    let events = system.published();
    let id = async || {
        system.webhooks.route(&events, &system.first_tries).await;
        system.first_tries.take_all()[0].deduplication_id.clone()
    };
    let first = id().await;
    assert_eq!(id().await, first);
    let (service, key) = (&system.payments.payments, payment(PAYMENT));
    service.republish(&key, None, None).await.unwrap();
    let events = system.published();
    system.webhooks.route(&events, &system.first_tries).await;
    assert_ne!(system.first_tries.take_all()[0].deduplication_id, first);
}
