//! Tests retries of one payment.

use payments::model::webhook::health::BREAKER;
use payments::model::webhook::{Backlog, DisabledBy, Health};
use payments::ports::{Retry, RetryAction};
use tokio::time::Instant;

use crate::system::*;

fn retry(system: &System, action: RetryAction) -> Retry {
    Retry {
        endpoint: endpoint_key("a"),
        payments: vec![PAYMENT.into()],
        action,
        until: system.now().after(MINUTE),
    }
}

/// Emits events of which the first failed once.
async fn failed_once(count: u64) -> System {
    let system = System::new();
    system.answers("a", &[DOWN]);
    system.emit(PAYMENT, count).await;
    system.first_tries().await;
    system.take_retries();
    system
}

#[tokio::test]
async fn a_retry_delivers_all_waiting_events_in_order() {
    let system = failed_once(4).await;
    let retried = system.run_when_due().await;
    assert_eq!((retried.delivered, retried.failed), (4, 0));
    assert_eq!(
        (system.posted(), system.waiting()),
        (vec![1, 1, 2, 3, 4], None)
    );
    assert_eq!(system.health("a"), Health::default());
}

#[tokio::test]
async fn a_failed_retry_stops_and_the_failures_of_each_event_are_counted() {
    let system = failed_once(3).await;
    system.answers("a", &[DOWN, OK, DOWN]);
    system.run_when_due().await;
    assert_eq!(system.waiting(), Some((1, 3, 2)));
    system.run_when_due().await;
    assert_eq!(system.waiting(), Some((2, 3, 1)));
    system.run_when_due().await;
    assert_eq!(
        (system.posted(), system.waiting()),
        (vec![1, 1, 1, 2, 2, 3], None)
    );
}

#[tokio::test]
async fn an_event_is_tried_eight_times_over_27_hours_and_then_given_up() {
    let system = System::new();
    system.emit(PAYMENT, 2).await;
    system.answers("a", &[DOWN; 8]);
    system.first_tries().await;
    system.take_retries();
    let start = system.now();
    let mut delays = Vec::new();
    for _ in 0..7 {
        let delay = system.backlog().unwrap().due.since(system.now());
        delays.push(delay.as_secs_f64());
        system.run_when_due().await;
    }
    let scheduled = [5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 36_000.0];
    for (delay, scheduled) in delays.iter().zip(scheduled) {
        assert!((delay / scheduled - 1.0).abs() < 0.11, "{delays:?}");
    }
    let hours = system.now().since(start).as_secs() / 3_600;
    assert!((24..=30).contains(&hours), "{hours}");
    assert_eq!(system.dead_letters(), [(1, "refused 503".to_owned())]);
    // The next event is due at once, and its tries are counted from 0.
    assert_eq!(system.waiting(), Some((2, 2, 0)));
    system.run_when_due().await;
    assert_eq!((system.posted().len(), system.waiting()), (9, None));
}

#[tokio::test]
async fn a_retry_that_is_not_due_or_whose_message_is_late_does_nothing() {
    let system = failed_once(1).await;
    let message = retry(&system, RetryAction::Deliver);
    let retried = system.deliverer().retry(&message, in_a_minute()).await;
    assert_eq!((retried.skipped, retried.failed), (1, 0));
    system.pass(MINUTE + SECOND);
    let retried = system.deliverer().retry(&message, in_a_minute()).await;
    assert_eq!((retried.late, retried.skipped), (1, 0));
    assert_eq!(system.posted(), [1]);
}

#[tokio::test]
async fn no_retry_starts_if_the_deadline_is_near() {
    let system = failed_once(1).await;
    system.pass(MINUTE);
    let message = retry(&system, RetryAction::Deliver);
    let deadline = Instant::now() + SECOND * 10;
    let retried = system.deliverer().retry(&message, deadline).await;
    assert_eq!((retried.late, system.posted()), (1, vec![1]));
}

#[tokio::test]
async fn events_that_have_expired_or_are_not_wanted_are_skipped() {
    let system = failed_once(4).await;
    system
        .payments
        .tables()
        .events
        .remove(&(payment(PAYMENT), 1));
    system.add_endpoint("a", &["refund.succeeded"]);
    let retried = system.run_when_due().await;
    assert_eq!(retried.delivered, 2);
    assert_eq!((system.posted(), system.waiting()), (vec![1, 3, 4], None));
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_given_up_and_the_next_is_delivered() {
    let system = failed_once(3).await;
    system.payments.behaviour().damage("211/order-1/2");
    let retried = system.run_when_due().await;
    assert_eq!((retried.delivered, retried.given_up), (2, 1));
    assert_eq!(system.dead_letters(), [(2, "unreadable".to_owned())]);
    assert_eq!((system.posted(), system.waiting()), (vec![1, 1, 3], None));
}

#[tokio::test]
async fn an_endpoint_that_answers_410_gets_nothing_more_and_its_events_wait() {
    let system = failed_once(3).await;
    system.answers("a", &[OK, GONE]);
    system.run_when_due().await;
    assert_eq!(
        (system.posted(), system.waiting()),
        (vec![1, 1, 2], Some((2, 3, 0)))
    );
    system.pass(HOUR * 50);
    system.run().await;
    let message = retry(&system, RetryAction::Deliver);
    let retried = system.deliverer().retry(&message, in_a_minute()).await;
    assert_eq!(retried.skipped, 1);
    assert_eq!(
        (system.posted().len(), system.waiting()),
        (3, Some((2, 3, 0)))
    );
}

#[tokio::test]
async fn nothing_is_sent_after_another_delivery_has_switched_the_endpoint_off() {
    let system = std::sync::Arc::new(failed_once(3).await);
    let other = system.clone();
    system.sender.state().during_next_post = Some(Box::new(move || {
        let off = Health::default().disabled(other.now(), DisabledBy::Endpoint);
        other.set_health("a", off);
    }));
    system.run_when_due().await;
    assert_eq!(
        (system.posted(), system.waiting()),
        (vec![1, 1], Some((2, 3, 0)))
    );
}

#[tokio::test]
async fn while_the_breaker_is_open_only_a_probe_is_sent_and_it_does_not_count_as_a_try() {
    let system = failed_once(2).await;
    system.usually("a", DOWN);
    system.set_health(
        "a",
        Health {
            failures: BREAKER,
            failing_since: Some(system.now()),
            ..Health::default()
        },
    );
    system.pass(MINUTE);
    let before = system.backlog().unwrap();
    let message = retry(&system, RetryAction::Deliver);
    let skipped = system.deliverer().retry(&message, in_a_minute()).await;
    assert_eq!(skipped.skipped, 1);
    let run = system.run().await;
    assert_eq!((run.failed, system.posted()), (1, vec![1, 1]));
    let after = system.backlog().unwrap();
    assert_eq!(
        (after.failures, after.since, after.due),
        (1, before.since, before.due)
    );
    assert_eq!(system.health("a").failures, BREAKER + 1);
    // The first success closes the breaker, and the retry goes on with the next event.
    system.usually("a", OK);
    let run = system.run().await;
    assert_eq!((run.delivered, system.waiting()), (2, None));
    assert_eq!(system.health("a"), Health::default());
}

#[tokio::test]
async fn an_event_is_given_up_while_the_breaker_is_open_if_it_is_older_than_all_tries() {
    let system = System::new();
    system.emit(PAYMENT, 2).await;
    let open = Health {
        failures: BREAKER,
        failing_since: Some(system.now()),
        ..Health::default()
    };
    system.set_health("a", open);
    system.put_backlog(PAYMENT, Backlog::of(1, 2, system.now()));
    system.usually("a", DOWN);
    system.pass(HOUR * 31);
    assert_eq!(system.run().await.given_up, 0);
    system.pass(HOUR);
    let run = system.run().await;
    assert_eq!((run.given_up, run.failed), (1, 0));
    assert_eq!(system.dead_letters(), [(1, "too_old".to_owned())]);
    let item = system.backlog().unwrap();
    assert_eq!((item.next, item.through), (2, 2));
    assert!(system.now().since(item.since) < MINUTE);
}

#[tokio::test]
async fn a_claim_of_a_crashed_function_ends_after_its_lease() {
    let system = failed_once(1).await;
    system.pass(MINUTE);
    // The claim is written, and nothing else.
    system.tables().writes_left = Some(1);
    let message = retry(&system, RetryAction::Deliver);
    let retried = system.deliverer().retry(&message, in_a_minute()).await;
    assert_eq!(retried.errors, 1);
    system.tables().writes_left = None;
    assert_eq!(system.run().await.delivered, 0);
    system.pass(MINUTE * 2);
    assert_eq!(system.run().await.delivered, 1);
    assert_eq!((system.posted(), system.waiting()), (vec![1, 1, 1], None));
}
