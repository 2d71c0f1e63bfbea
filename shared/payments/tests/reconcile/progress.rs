//! Tests that each run continues where the last run ended, and that no hour is skipped.

use std::time::Duration;

use payments::Timestamp;
use payments::ports::{Daily, ProgressStore};
use payments::service::reconcile::Reconciled;
use tokio::time::Instant;

use crate::builders::project;
use crate::system::*;

async fn reconcile_due(system: &System, deadline: Instant) -> Reconciled {
    let (payments, records) = (&system.payments, &system.platform);
    payments.reconcile_due(records, project(), deadline).await
}

async fn run(system: &System, now: &str) -> Reconciled {
    system.clock().set(on(now));
    reconcile_due(system, in_five_minutes()).await
}

async fn progress(system: &System) -> Option<Timestamp> {
    let progress = system.payments.store.progress(project(), Daily::Compare);
    progress.await.unwrap()
}

/// Removes and returns the starts of the hours that were requested. Each request starts ten minutes before its hour.
fn take_hours(system: &System) -> Vec<Timestamp> {
    let requests = std::mem::take(&mut system.platform.state().requests);
    let first_pages = requests.iter().filter(|(_, _, offset)| *offset == 0);
    first_pages
        .map(|(from, _, _)| from.after(Duration::from_secs(600)))
        .collect()
}

fn hours(from: &str, count: u64) -> Vec<Timestamp> {
    let from = on(from);
    let hours = (0..count).map(|hour| from.after(Duration::from_secs(3_600 * hour)));
    hours.collect()
}

#[tokio::test]
async fn the_first_run_starts_with_the_previous_day_and_the_next_run_continues() {
    let system = System::empty();
    let first = run(&system, "22T04:30:00").await;
    assert_eq!(take_hours(&system), hours("21T00:00:00", 25));
    assert_eq!((first.until, first.in_time), (on("22T01:00:00"), true));
    assert_eq!(progress(&system).await, Some(on("22T01:00:00")));

    run(&system, "22T04:30:00").await;
    assert!(
        take_hours(&system).is_empty(),
        "an hour is compared earlier than three hours after its end"
    );
    let next = run(&system, "24T04:00:00").await;
    assert_eq!(take_hours(&system), hours("22T01:00:00", 48));
    assert_eq!(next.until, on("24T01:00:00"));
}

#[tokio::test]
async fn the_next_run_compares_again_from_the_first_hour_that_failed() {
    let system = System::empty();
    run(&system, "22T04:30:00").await;
    take_hours(&system);
    system
        .report("first hour", "1", on("22T01:30:00"), 1000)
        .await;
    system
        .report("later hour", "2", on("22T03:30:00"), 1000)
        .await;

    // The request for the first hour fails three times. The other hours are compared.
    system.platform.state().failures = 3;
    let failed = run(&system, "22T08:00:00").await;
    assert_eq!((failed.failed, failed.until), (1, on("22T01:00:00")));
    assert_eq!(progress(&system).await, Some(on("22T01:00:00")));
    let emitted = differences(&[("later hour", "missing_at_platform")]);
    assert_eq!(system.differences(), emitted);
    take_hours(&system);

    let next = run(&system, "22T08:00:00").await;
    assert_eq!(take_hours(&system), hours("22T01:00:00", 4));
    assert_eq!((next.failed, next.until), (0, on("22T05:00:00")));
    assert_eq!(next.differences.missing_at_platform, 1);
    assert_eq!(progress(&system).await, Some(on("22T05:00:00")));
}

#[tokio::test]
async fn the_next_run_continues_where_the_deadline_stopped_the_last_run() {
    let system = System::empty();
    let late = reconcile_due(&system, Instant::now()).await;
    assert_eq!((late.in_time, late.until), (false, on("21T00:00:00")));
    assert_eq!(progress(&system).await, None);

    // Each run has more time than the run before.
    let mut runs = 1;
    let last = loop {
        let deadline = Instant::now() + Duration::from_micros(100 * runs);
        let run = reconcile_due(&system, deadline).await;
        if run.in_time {
            break run;
        }
        runs += 1;
    };
    assert_eq!(last.until, on("22T09:00:00"));
    let mut compared = take_hours(&system);
    compared.dedup();
    assert_eq!(compared, hours("21T00:00:00", 33), "in {runs} runs");
    assert_eq!(progress(&system).await, Some(on("22T09:00:00")));
}

#[tokio::test]
async fn an_interval_on_demand_does_not_change_the_progress() {
    let system = System::empty();
    system.reconcile(span("21T00:00:00", "22T09:00:00")).await;
    assert_eq!(progress(&system).await, None);
}
