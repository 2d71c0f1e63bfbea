//! Tests which intervals the schedule compares, and when the progress is stored.

use std::time::Duration;

use payments::Timestamp;
use payments::ports::{Daily, ProgressStore};

use crate::builders::project;
use crate::system::*;

async fn progress(system: &System) -> Option<Timestamp> {
    let progress = system.payments.store.progress(project(), Daily::Compare);
    progress.await.unwrap()
}

/// Does the runs that are due at a time. Returns the interval of each run.
async fn runs(system: &System, now: &str) -> Vec<(Timestamp, Timestamp)> {
    system.clock().set(on(now));
    let done = system.reconcile_due().await.unwrap();
    done.iter().map(|(run, _)| (run.from, run.to)).collect()
}

fn day(day: &str, next: &str) -> (Timestamp, Timestamp) {
    (
        on(&format!("{day}T00:00:00")),
        on(&format!("{next}T00:00:00")),
    )
}

#[tokio::test]
async fn the_first_run_compares_yesterday_and_the_next_run_continues() {
    let system = System::empty();
    assert_eq!(runs(&system, "22T04:30:00").await, [day("21", "22")]);
    assert_eq!(progress(&system).await, Some(on("22T00:00:00")));
    let starts = system.platform.take_starts();
    let margin = on("21T00:00:00").before(Duration::from_secs(600));
    let hours = (0..=24).map(|hour| on("21T00:00:00").after(Duration::from_secs(3_600 * hour)));
    assert_eq!(
        starts,
        [margin].into_iter().chain(hours).collect::<Vec<_>>()
    );

    // A day is compared three hours after its end at the earliest.
    assert_eq!(runs(&system, "23T02:59:59").await, []);
    let two = [day("22", "23"), day("23", "24")];
    assert_eq!(runs(&system, "24T04:30:00").await, two);
    assert_eq!(progress(&system).await, Some(on("24T00:00:00")));
}

#[tokio::test]
async fn the_first_run_before_three_o_clock_compares_the_day_before_yesterday() {
    let system = System::empty();
    assert_eq!(runs(&system, "22T02:59:59").await, [day("20", "21")]);
    assert_eq!(runs(&system, "22T03:00:00").await, [day("21", "22")]);
}

#[tokio::test]
async fn a_run_with_a_failed_part_does_not_end_and_the_next_run_compares_the_same_interval() {
    let system = System::empty();
    system.list("unknown", "1", on("21T15:30:00"), 1000);
    // The request for the first part fails three times.
    system.platform.state().failures = 3;
    assert!(system.reconcile_due().await.is_err());
    assert_eq!(progress(&system).await, None);
    // The other parts are done.
    let emitted = differences(&[("unknown", "missing_locally")]);
    assert_eq!(system.differences(), emitted);

    assert_eq!(runs(&system, "22T12:00:00").await, [day("21", "22")]);
    assert_eq!(progress(&system).await, Some(on("22T00:00:00")));
    assert_eq!(system.differences(), emitted);
}

#[tokio::test]
async fn a_list_that_still_fails_after_three_days_is_skipped_by_the_schedule() {
    let system = System::empty();
    system.report("ours", "1", on("21T12:30:00"), 1000).await;
    let day = span("21T00:00:00", "22T00:00:00");
    system.clock().set(on("23T12:00:00"));
    let run = system.payments.run_on_demand(project(), day);
    let progress = &system.payments.store;
    progress
        .advance(project(), Daily::Compare, day.from)
        .await
        .unwrap();
    system.platform.state().failures = 1_000;
    assert!(system.do_run(&run).await.is_err());
    assert!(system.reconcile_due().await.is_err());

    system.clock().set(on("25T00:10:01"));
    system.platform.state().failures = 26 * 3;
    let done = system.reconcile_due().await.unwrap();
    let (run, counts) = &done[0];
    assert_eq!((run.from, run.to), (day.from, day.to));
    // The platform's list is unknown, so no operation of ours counts as missing at the platform.
    assert_eq!((counts.unreadable, counts.differences), (26, NONE));
    assert_eq!(done[1].0.from, day.to);
}

#[tokio::test]
async fn a_run_on_demand_does_not_change_the_progress() {
    let system = System::empty();
    system.reconcile(span("21T00:00:00", "22T09:00:00")).await;
    assert_eq!(progress(&system).await, None);
}
