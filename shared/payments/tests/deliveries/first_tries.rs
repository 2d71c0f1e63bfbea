//! Tests the first try of an event.

use payments::model::webhook::health::BREAKER;
use payments::model::webhook::{Backlog, DisabledBy, EndpointState, Health};
use payments::ports::RetryAction;
use payments::service::webhook::FirstTried;

use crate::system::*;

fn breaker_open() -> Health {
    Health {
        failures: BREAKER,
        ..Health::default()
    }
}

#[tokio::test]
async fn a_delivered_event_writes_nothing() {
    let system = System::new();
    system.emit(PAYMENT, 2).await;
    assert_eq!(system.first_tries().await, [FirstTried::Delivered; 2]);
    assert_eq!(system.posted(), [1, 2]);
    assert_eq!(system.tables().writes, Vec::<&str>::new());
}

#[tokio::test]
async fn a_failed_event_and_all_later_events_of_its_payment_wait() {
    let system = System::new();
    system.answers("a", &[DOWN]);
    system.emit(PAYMENT, 3).await;
    system.emit("order-2", 1).await;
    let expected = [
        FirstTried::Failed,
        FirstTried::Delivered,
        FirstTried::Waiting,
        FirstTried::Waiting,
    ];
    assert_eq!(system.first_tries().await, expected);
    assert_eq!(
        (system.posted(), system.waiting()),
        (vec![1], Some((1, 3, 1)))
    );
    assert_eq!(system.posted_of("a", "order-2"), [1]);
    let due = system.backlog().unwrap().due.since(system.now());
    assert!(due <= SECOND * 6 && due > SECOND * 3, "{due:?}");
}

#[tokio::test]
async fn the_list_is_written_before_the_backlog() {
    let system = System::new();
    system.answers("a", &[DOWN]);
    system.emit(PAYMENT, 1).await;
    system.first_tries().await;
    assert_eq!(system.tables().writes, ["count failure", "list", "create"]);
}

#[tokio::test]
async fn the_message_of_the_first_retry_is_sent_after_the_failure() {
    let system = System::new();
    system.answers("a", &[DOWN]);
    system.emit(PAYMENT, 1).await;
    system.first_tries().await;
    let due = system.backlog().unwrap().due;
    let retries = system.take_retries();
    assert_eq!(retries.len(), 1);
    assert_eq!(retries[0].payments, [PAYMENT]);
    assert_eq!(retries[0].action, RetryAction::Deliver);
    // The queue holds the message back for 5 s. With jitter, the retry can be due half a second later.
    system.clock().set(due.before(SECOND / 2));
    let retried = system.deliverer().retry(&retries[0], in_a_minute()).await;
    assert_eq!((retried.delivered, system.waiting()), (1, None));
    assert_eq!(system.health("a"), Health::default());
}

#[tokio::test]
async fn an_event_of_an_open_breaker_or_of_a_held_endpoint_waits_without_a_try() {
    for health in [breaker_open(), Health::default().held()] {
        let system = System::new();
        system.set_health("a", health);
        system.emit(PAYMENT, 1).await;
        assert_eq!(system.first_tries().await, [FirstTried::Waiting]);
        assert_eq!(
            (system.posted(), system.waiting()),
            (vec![], Some((1, 1, 0)))
        );
        assert_eq!(system.backlog().unwrap().due, system.now());
    }
}

#[tokio::test]
async fn an_event_that_has_waited_in_the_queue_for_more_than_a_minute_is_not_tried() {
    for (waited, expected) in [
        (MINUTE, FirstTried::Delivered),
        (MINUTE + SECOND, FirstTried::Waiting),
    ] {
        let system = System::new();
        system.emit(PAYMENT, 1).await;
        let first_try = system.route().await.remove(0);
        let sent_at = system.now();
        system.pass(waited);
        let tried = system.deliverer().first_try(&first_try, sent_at).await;
        assert_eq!(tried.unwrap(), expected);
    }
}

#[tokio::test]
async fn nothing_is_sent_to_an_endpoint_that_is_removed_or_switched_off() {
    let system = System::new();
    system.emit(PAYMENT, 1).await;
    let first_try = system.route().await.remove(0);
    system.set_health(
        "a",
        Health::default().disabled(system.now(), DisabledBy::Endpoint),
    );
    let tried = system.deliverer().first_try(&first_try, system.now()).await;
    assert_eq!(tried.unwrap(), FirstTried::SwitchedOff);
    system.remove_endpoint("a");
    let tried = system.deliverer().first_try(&first_try, system.now()).await;
    assert_eq!(tried.unwrap(), FirstTried::Nothing);
    assert_eq!((system.posted(), system.waiting()), (vec![], None));
}

#[tokio::test]
async fn an_endpoint_that_answers_410_is_switched_off() {
    let system = System::new();
    system.answers("a", &[GONE]);
    system.emit(PAYMENT, 3).await;
    assert_eq!(system.first_tries().await, [FirstTried::SwitchedOff; 3]);
    assert_eq!(
        (system.posted(), system.waiting()),
        (vec![1], Some((1, 1, 0)))
    );
    let expected = EndpointState::Disabled {
        since: match system.health("a").state {
            EndpointState::Disabled { since, .. } => since,
            other => panic!("{other:?}"),
        },
        by: DisabledBy::Endpoint,
    };
    assert_eq!(system.health("a").state, expected);
}

#[tokio::test]
async fn twenty_failures_in_a_row_open_the_breaker_and_a_success_starts_the_row_anew() {
    let system = System::new();
    system.answers("a", &[DOWN; 19]);
    for number in 0..20 {
        system.emit(&format!("order-{number}"), 1).await;
    }
    system.first_tries().await;
    assert_eq!(system.health("a"), Health::default());
    system.usually("a", DOWN);
    for number in 20..50 {
        system.emit(&format!("order-{number}"), 1).await;
    }
    let tried = system.first_tries().await;
    let failed = tried
        .iter()
        .filter(|one| **one == FirstTried::Failed)
        .count();
    assert_eq!((failed, tried.len()), (20, 30));
    assert!(tried[20..].iter().all(|one| *one == FirstTried::Waiting));
    assert!(system.health("a").is_breaker_open());
}

#[tokio::test]
async fn an_event_that_has_expired_or_is_not_wanted_any_more_is_dropped() {
    let system = System::new();
    let missing = system
        .deliverer()
        .first_try(&first_try(7), system.now())
        .await;
    assert_eq!(missing.unwrap(), FirstTried::Nothing);
    system.emit(PAYMENT, 1).await;
    let first_try = system.route().await.remove(0);
    system.add_endpoint("a", &["payment.succeeded"]);
    let unwanted = system.deliverer().first_try(&first_try, system.now()).await;
    assert_eq!(unwanted.unwrap(), FirstTried::Nothing);
    assert_eq!(system.posted(), Vec::<u64>::new());
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_a_dead_letter_and_stops_no_other() {
    let system = System::new();
    system.emit(PAYMENT, 2).await;
    system.payments.behaviour().damage("211/order-1/1");
    let expected = [FirstTried::GivenUp, FirstTried::Delivered];
    assert_eq!(system.first_tries().await, expected);
    assert_eq!(system.dead_letters(), [(1, "unreadable".to_owned())]);
    assert_eq!(system.posted(), [2]);
}

#[tokio::test]
async fn the_events_behind_a_backlog_item_that_cannot_be_read_are_dead_letters_and_stop_no_other() {
    let system = System::new();
    let item = (endpoint_id("a"), payment(PAYMENT));
    system.tables().unreadable_backlogs.insert(item);
    system.emit(PAYMENT, 2).await;
    system.emit("order-2", 1).await;
    let expected = [
        FirstTried::GivenUp,
        FirstTried::Delivered,
        FirstTried::GivenUp,
    ];
    assert_eq!(system.first_tries().await, expected);
    let error = || "unreadable backlog".to_owned();
    assert_eq!(system.dead_letters(), [(1, error()), (2, error())]);
    assert_eq!(system.posted(), Vec::<u64>::new());
    // After a repair, an operator sends the dead letters again.
    system.tables().unreadable_backlogs.clear();
    let redelivered = system.webhooks.redeliver(&endpoint_key("a"), None).await;
    assert_eq!(redelivered.unwrap(), 2);
    system.run().await;
    assert_eq!((system.posted(), system.waiting()), (vec![1, 2], None));
}

#[tokio::test]
async fn the_events_of_an_endpoint_that_cannot_be_read_wait() {
    let system = System::new();
    system.emit(PAYMENT, 1).await;
    system
        .webhooks
        .endpoints
        .tables()
        .unreadable
        .insert(endpoint_id("a"));
    assert_eq!(system.first_tries().await, [FirstTried::Waiting]);
    assert_eq!(system.hand_out().await.failed, 1);
    system.webhooks.endpoints.tables().unreadable.clear();
    assert_eq!(system.run().await.delivered, 1);
    assert_eq!((system.posted(), system.waiting()), (vec![1], None));
}

#[tokio::test]
async fn an_earlier_event_that_comes_again_is_tried_before_the_waiting_events() {
    let system = System::new();
    system.emit(PAYMENT, 3).await;
    system.put_backlog(PAYMENT, Backlog::of(3, 3, system.now()));
    let tried = system
        .deliverer()
        .first_try(&first_try(1), system.now())
        .await;
    assert_eq!(tried.unwrap(), FirstTried::Waiting);
    assert_eq!(system.waiting(), Some((1, 3, 0)));
    system.run().await;
    assert_eq!((system.posted(), system.waiting()), (vec![1, 2, 3], None));
}
