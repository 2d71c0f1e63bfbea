//! Tests what happens if two functions work on one payment at the same time, or if a function crashes.

use std::sync::Arc;

use payments::model::webhook::Backlog;
use payments::ports::{Retry, RetryAction};
use payments::service::webhook::FirstTried;

use crate::system::*;

async fn waiting(next: u64, through: u64) -> Arc<System> {
    let system = System::new();
    system.emit(PAYMENT, 4).await;
    system.put_backlog(PAYMENT, Backlog::of(next, through, system.now()));
    Arc::new(system)
}

fn item_key() -> (payments::model::webhook::EndpointId, payments::PaymentKey) {
    (endpoint_id("a"), payment(PAYMENT))
}

#[tokio::test]
async fn an_event_that_comes_while_a_retry_ends_is_delivered_by_the_retry() {
    let system = waiting(1, 2).await;
    let other = system.clone();
    system.sender.state().during_next_post = Some(Box::new(move || {
        // The first try of the third event finds the item, and adds the event to it.
        let mut tables = other.tables();
        let item = tables.backlogs.get_mut(&item_key()).unwrap();
        *item = item.with(3, 3, other.now()).unwrap();
    }));
    assert_eq!(system.run().await.delivered, 3);
    assert_eq!((system.posted(), system.waiting()), (vec![1, 2, 3], None));
}

#[tokio::test]
async fn an_event_whose_item_vanishes_is_delivered_as_a_first_try() {
    let system = waiting(1, 2).await;
    system.tables().before_next_replace = Some(Box::new(|tables| {
        tables.backlogs.remove(&item_key());
    }));
    let tried = system
        .deliverer()
        .first_try(&first_try(3), system.now())
        .await;
    assert_eq!(tried.unwrap(), FirstTried::Delivered);
    assert_eq!((system.posted(), system.waiting()), (vec![3], None));
}

#[tokio::test]
async fn an_event_that_fails_while_its_payment_gets_a_backlog_is_added_to_it() {
    let system = System::new();
    system.emit(PAYMENT, 4).await;
    system.answers("a", &[DOWN]);
    let now = system.now();
    system.tables().before_next_replace = Some(Box::new(move |tables| {
        tables.backlogs.insert(item_key(), Backlog::of(1, 2, now));
    }));
    let tried = system
        .deliverer()
        .first_try(&first_try(4), system.now())
        .await;
    assert_eq!(tried.unwrap(), FirstTried::Failed);
    assert_eq!(system.waiting(), Some((1, 4, 0)));
}

#[tokio::test]
async fn an_event_that_comes_while_a_retry_claims_the_item_is_not_lost() {
    let system = waiting(1, 1).await;
    let now = system.now();
    system.tables().before_next_replace = Some(Box::new(move |tables| {
        let item = tables.backlogs.get_mut(&item_key()).unwrap();
        *item = item.with(2, 2, now).unwrap();
    }));
    let run = system.run().await;
    assert_eq!((run.skipped, system.posted()), (1, vec![]));
    assert_eq!(system.run().await.delivered, 2);
    assert_eq!((system.posted(), system.waiting()), (vec![1, 2], None));
}

#[tokio::test]
async fn an_earlier_event_that_comes_again_during_a_retry_is_delivered_again() {
    let system = waiting(3, 4).await;
    let other = system.clone();
    system.sender.state().during_next_post = Some(Box::new(move || {
        let mut tables = other.tables();
        let item = tables.backlogs.get_mut(&item_key()).unwrap();
        *item = item.with(1, 1, other.now()).unwrap();
    }));
    system.run().await;
    assert_eq!(
        (system.posted(), system.waiting()),
        (vec![3, 4], Some((1, 4, 0)))
    );
    system.run().await;
    assert_eq!(
        (system.posted(), system.waiting()),
        (vec![3, 4, 1, 2, 3, 4], None)
    );
}

#[tokio::test]
async fn only_one_of_two_equal_messages_retries_a_payment() {
    let system = waiting(1, 2).await;
    let message = Retry {
        endpoint: endpoint_key("a"),
        payments: vec![PAYMENT.into()],
        action: RetryAction::Deliver,
        until: system.now().after(MINUTE),
    };
    let deliverer = system.deliverer();
    let (one, other) = tokio::join!(
        deliverer.retry(&message, in_a_minute()),
        deliverer.retry(&message, in_a_minute()),
    );
    assert_eq!(one.delivered + other.delivered, 2);
    assert_eq!((system.posted(), system.waiting()), (vec![1, 2], None));
}

#[tokio::test]
async fn a_retry_that_lasts_longer_than_its_lease_writes_nothing_after_another_retry() {
    let system = waiting(1, 1).await;
    let other = system.clone();
    system.sender.state().during_next_post = Some(Box::new(move || {
        other.pass(MINUTE * 5);
        let mut tables = other.tables();
        let item = tables.backlogs.get_mut(&item_key()).unwrap();
        *item = item.claim(other.now()).held().clone();
    }));
    system.run().await;
    let item = system.backlog().unwrap();
    assert_eq!((item.next, item.through), (1, 1));
    assert!(item.due > system.now());
}

#[tokio::test]
async fn a_message_that_comes_twice_is_delivered_twice_at_most_and_in_order() {
    let system = System::new();
    system.emit(PAYMENT, 2).await;
    let tries = system.route().await;
    for first_try in [&tries[0], &tries[0], &tries[1], &tries[1]] {
        let tried = system.deliverer().first_try(first_try, system.now()).await;
        assert_eq!(tried.unwrap(), FirstTried::Delivered);
    }
    assert_eq!(system.posted(), [1, 1, 2, 2]);
}

#[tokio::test]
async fn after_a_crash_at_any_write_the_message_comes_again_and_nothing_is_lost() {
    for writes in 0..4 {
        let system = System::new();
        system.emit(PAYMENT, 2).await;
        system.usually("a", DOWN);
        let tries = system.route().await;
        system.tables().writes_left = Some(writes);
        let tried = system.deliverer().first_try(&tries[0], system.now()).await;
        assert_eq!(tried.is_err(), writes < 3, "{writes}");
        system.tables().writes_left = None;
        for first_try in &tries {
            let tried = system.deliverer().first_try(first_try, system.now()).await;
            tried.unwrap();
        }
        assert_eq!(
            system.waiting().map(|(next, through, _)| (next, through)),
            Some((1, 2))
        );
        system.usually("a", OK);
        system.run_when_due().await;
        assert!(
            system.posted().ends_with(&[1, 1, 2]),
            "{:?}",
            system.posted()
        );
        assert_eq!(system.waiting(), None);
    }
}
