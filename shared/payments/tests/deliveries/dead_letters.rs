//! Tests that dead letters can be sent again.

use payments::ports::DeadLetter;
use payments::service::webhook::RedeliverError;

use crate::system::*;

async fn with_dead_letters(letters: &[(&str, u64)]) -> System {
    let system = System::new();
    for (id, sequence) in letters {
        let known = system.payments.tables().payments.contains_key(&payment(id));
        if !known {
            system.emit(id, 5).await;
        }
        let letter = DeadLetter {
            payment: payment(id),
            sequence: *sequence,
            since: system.now(),
            at: system.now(),
            error: "timeout".into(),
        };
        let key = (endpoint_id("a"), payment(id), *sequence);
        system.tables().dead_letters.insert(key, letter);
    }
    system.route().await;
    system
}

async fn redeliver(system: &System, only: Option<&str>) -> u64 {
    let (key, only) = (endpoint_key("a"), only.map(payment));
    system
        .webhooks
        .redeliver(&key, only.as_ref())
        .await
        .unwrap()
}

#[tokio::test]
async fn dead_letters_are_delivered_again_with_the_events_between_them() {
    let letters = [(PAYMENT, 2), (PAYMENT, 4), ("order-2", 1), ("order-3", 5)];
    let system = with_dead_letters(&letters).await;
    assert_eq!(redeliver(&system, None).await, 4);
    system.run().await;
    assert_eq!((system.posted(), system.waiting()), (vec![2, 3, 4], None));
    assert_eq!(system.posted_of("a", "order-2"), [1]);
    assert_eq!(system.posted_of("a", "order-3"), [5]);
    assert_eq!(system.dead_letters(), []);
}

#[tokio::test]
async fn the_dead_letters_of_one_payment_are_delivered_again() {
    let system = with_dead_letters(&[(PAYMENT, 2), ("order-2", 1)]).await;
    assert_eq!(redeliver(&system, Some("ORDER-2")).await, 1);
    system.run().await;
    assert_eq!((system.posted(), system.dead_letters().len()), (vec![], 1));
    assert_eq!(system.posted_of("a", "order-2"), [1]);
}

#[tokio::test]
async fn a_dead_letter_is_not_lost_if_the_command_crashes() {
    for writes in 0..3 {
        let system = with_dead_letters(&[(PAYMENT, 2)]).await;
        system.tables().writes_left = Some(writes);
        let moved = system.webhooks.redeliver(&endpoint_key("a"), None).await;
        assert!(matches!(moved, Err(RedeliverError::Store(_))), "{writes}");
        system.tables().writes_left = None;
        assert_eq!(redeliver(&system, None).await, 1);
        system.run().await;
        assert_eq!((system.posted(), system.dead_letters()), (vec![2], vec![]));
    }
}

#[tokio::test]
async fn the_dead_letters_of_an_unknown_endpoint_are_not_sent() {
    let system = System::new();
    let moved = system.webhooks.redeliver(&endpoint_key("b"), None).await;
    assert!(matches!(moved, Err(RedeliverError::NotFound)));
}
