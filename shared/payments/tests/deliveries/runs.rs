//! Tests the runs that hand out retries.

use payments::model::webhook::health::BREAKER;
use payments::model::webhook::{Backlog, DisabledBy, Health};
use tokio::time::Instant;

use crate::system::*;

async fn with_backlogs(count: u64) -> System {
    let system = System::new();
    for number in 0..count {
        let id = format!("order-{number}");
        system.emit(&id, 1).await;
        system.put_backlog(&id, Backlog::of(1, 1, system.now()));
    }
    system
}

#[tokio::test]
async fn a_run_hands_out_all_due_payments() {
    let system = with_backlogs(30).await;
    system.put_backlog(
        "order-7",
        Backlog::after_failure(1, system.now(), system.now().after(HOUR)),
    );
    let run = system.hand_out().await;
    assert_eq!(
        (run.endpoints, run.payments, run.failed, run.in_time),
        (1, 29, 0, true)
    );
    assert_eq!(system.make_retries().await.delivered, 29);
    assert_eq!(system.tables().backlogs.len(), 1);
}

#[tokio::test]
async fn an_endpoint_leaves_the_list_some_minutes_after_its_backlog_is_empty() {
    let system = with_backlogs(1).await;
    system.run().await;
    assert_eq!(system.hand_out().await.endpoints, 1);
    system.pass(MINUTE * 11);
    assert_eq!(system.hand_out().await.endpoints, 1);
    assert_eq!(system.hand_out().await.endpoints, 0);
}

#[tokio::test]
async fn an_endpoint_that_is_listed_again_during_a_run_stays_on_the_list() {
    let system = with_backlogs(1).await;
    system.run().await;
    system.pass(MINUTE * 11);
    let listed = payments::ports::DeliveryStore::listed(&system.webhooks.deliveries).await;
    let listed = listed.unwrap().remove(0);
    system.put_backlog("order-0", Backlog::of(1, 1, system.now()));
    let unlisted = payments::ports::DeliveryStore::unlist(&system.webhooks.deliveries, &listed);
    unlisted.await.unwrap();
    assert_eq!(system.run().await.delivered, 1);
}

#[tokio::test]
async fn nothing_is_handed_out_to_an_endpoint_that_is_removed_or_switched_off() {
    let system = with_backlogs(3).await;
    system.set_health(
        "a",
        Health::default().disabled(system.now(), DisabledBy::Endpoint),
    );
    let run = system.hand_out().await;
    assert_eq!(
        (run.endpoints, run.switched_off, run.payments, run.oldest_s),
        (1, 1, 0, 0)
    );
    system.set_health("a", Health::default());
    system.remove_endpoint("a");
    assert_eq!(system.hand_out().await.payments, 0);
    assert_eq!(system.tables().backlogs.len(), 3);
    system.pass(MINUTE * 11);
    system.hand_out().await;
    assert_eq!(system.hand_out().await.endpoints, 0);
}

#[tokio::test]
async fn a_run_counts_endpoints_that_fail_for_a_day_and_the_age_of_the_backlog() {
    let system = with_backlogs(2).await;
    let failing = Health {
        failures: BREAKER,
        failing_since: Some(system.now()),
        ..Health::default()
    };
    system.set_health("a", failing);
    system.pass(HOUR * 23);
    let run = system.hand_out().await;
    assert_eq!(
        (run.breakers_open, run.failing_a_day, run.payments),
        (1, 0, 1)
    );
    assert_eq!(run.oldest_s, 23 * 3_600);
    system.pass(HOUR);
    assert_eq!(system.hand_out().await.failing_a_day, 1);
}

#[tokio::test]
async fn events_that_always_fail_do_not_keep_the_breaker_open() {
    for failing in [1, 25] {
        let system = with_backlogs(failing).await;
        system.pass(MINUTE);
        system.emit("accepted", 1).await;
        system.put_backlog("accepted", Backlog::of(1, 1, system.now()));
        let open = Health {
            failures: BREAKER,
            ..Health::default()
        };
        system.set_health("a", open);
        let mut runs = 0;
        while system.health("a").is_breaker_open() {
            runs += 1;
            assert!(runs < 200, "the breaker stays open");
            system.hand_out().await;
            for retry in system.take_retries() {
                let answer = match retry.payments == ["accepted"] {
                    true => OK,
                    false => DOWN,
                };
                system.answers("a", &[answer]);
                system.deliverer().retry(&retry, in_a_minute()).await;
            }
            system.pass(MINUTE);
        }
        assert_eq!(system.posted_of("a", "accepted"), [1]);
    }
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_read_does_not_stop_a_run() {
    let system = with_backlogs(2).await;
    system.add_endpoint("b", &[]);
    let now = system.now();
    system.tables().listed.insert(endpoint_key("b"), now);
    system
        .webhooks
        .endpoints
        .tables()
        .unreadable
        .insert(endpoint_id("b"));
    let run = system.hand_out().await;
    assert_eq!((run.endpoints, run.payments, run.failed), (2, 2, 1));
    assert!(run.failure.unwrap().contains('b'));
}

#[tokio::test]
async fn a_run_ends_at_its_deadline() {
    let system = with_backlogs(2).await;
    let run = system
        .webhooks
        .hand_out(&system.retries, Instant::now())
        .await;
    assert_eq!((run.payments, run.in_time), (0, false));
}
