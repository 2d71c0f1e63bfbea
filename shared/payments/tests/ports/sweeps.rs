//! Tests batch runs of the sweeper: no project delays another project, parallel runs repeat nothing, status requests
//! have a minimum interval, and a run ends at its deadline.

use std::time::Duration;

use payments::model::schedule::Next;
use payments::service::sweep::batch_run::BatchRun;
use tokio::time::Instant;

use super::system::*;
use crate::builders::*;

/// Creates payments that need a recheck. Gate answers no status request.
async fn with_rechecks(count: u32) -> System {
    let system = System::empty();
    for number in 0..count {
        system.recheck(211, &format!("p-{number}")).await;
    }
    system
}

async fn poll_all(system: &System) -> BatchRun {
    system.poller().poll_all(in_a_minute()).await
}

#[tokio::test]
async fn a_project_with_many_due_payments_delays_no_other_project() {
    let mut system = with_rechecks(50).await;
    system.keys = project_keys(&[211, 212]);
    system.pass(MINUTE);
    system.recheck(212, "one").await;
    let run = poll_all(&system).await;
    assert_eq!((run.found, run.failed), (51, 51));
    let polls = system.polls();
    let before = polls
        .iter()
        .position(|request| request == "status 212/one")
        .unwrap();
    assert!(before < 10, "after {before} others: {polls:?}");
}

#[tokio::test]
async fn two_parallel_runs_poll_each_payment_once() {
    let system = with_rechecks(20).await;
    let runs = tokio::join!(poll_all(&system), poll_all(&system));
    assert_eq!(runs.0.failed + runs.1.failed, 20);
    let mut polls = system.polls();
    polls.sort_unstable();
    polls.dedup();
    assert_eq!((polls.len(), system.polls().len()), (20, 20));
}

#[tokio::test]
async fn status_requests_have_a_minimum_interval_and_none_is_claimed_too_late_to_be_sent() {
    let mut system = with_rechecks(6).await;
    system.min_interval = Duration::from_millis(20);
    let start = Instant::now();
    let run = poll_all(&system).await;
    assert_eq!((system.polls().len(), run.in_time), (6, true));
    assert!(start.elapsed() >= 5 * system.min_interval);

    system.pass(DAY);
    system.min_interval = MINUTE;
    let deadline = Instant::now() + Duration::from_millis(50);
    let run = system.poller().poll_all(deadline).await;
    assert!(!run.in_time, "{run:?}");
    assert_eq!(system.polls().len(), 7);
    let tables = system.tables();
    let polling = tables
        .payments
        .values()
        .map(|stored| stored.payment.polling());
    let claimed: u32 = polling.map(|polling| polling.polls_sent()).sum();
    assert_eq!(claimed, 7);
}

#[tokio::test]
async fn an_open_payment_is_overdue_after_its_last_poll_and_its_customers_data_is_erased() {
    let system = System::created(&[]).await;
    let has_customer = || system.payment(PAYMENT).order().unwrap().customer.is_some();
    let erase = || system.payments.erase_all(in_a_minute());
    let overdue = async || {
        let run = system.payments.count_overdue(in_a_minute()).await;
        (run.found, run.oldest_s)
    };
    while let Some(due) = system.poll_at() {
        assert_eq!(erase().await.found, 0);
        assert_eq!(overdue().await, (0, 0));
        system.pass_until(due);
        system.poll(None).await.unwrap_err();
        assert_eq!(system.payments.expire_all(in_a_minute()).await.failed, 0);
    }
    assert!(has_customer());
    let erased = erase().await;
    assert_eq!((erased.found, erased.done), (1, 1));
    assert!(!has_customer());
    assert_eq!(system.sent(), ["1 payment.created", "2 checkout.expired"]);
    system.pass(DAY);
    assert_eq!(overdue().await, (1, 86_400));
    assert_matches!(
        system.payments.schedule.next(&system.payment(PAYMENT)),
        Some(Next::Overdue(_))
    );
    assert_eq!(erase().await.found, 0);
    system.sale_succeeds().await;
    assert_eq!(overdue().await, (0, 0));
}
