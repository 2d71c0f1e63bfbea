//! From the last finished hour on, nothing skipped.

use std::time::Duration;

use payments::Timestamp;
use payments::ports::{Daily, ProgressStore};
use payments::service::reconcile::Reconciled;
use tokio::time::Instant;

use crate::world::*;

async fn daily(world: &World) -> Reconciled {
    let payments = &world.payments;
    payments
        .reconcile_due(&world.books, project(), soon())
        .await
}

async fn until(world: &World) -> Option<Timestamp> {
    world
        .payments
        .store
        .progress(project(), Daily::Compare)
        .await
        .unwrap()
}

/// The first moments of the slices that were asked for.
fn asked(world: &World) -> Vec<Timestamp> {
    let mut asked = world.books.asked.lock().unwrap();
    let slices = asked.drain(..).filter(|(_, _, offset)| *offset == 0);
    slices
        .map(|(from, _, _)| from.after(Duration::from_secs(600)))
        .collect()
}

fn hours(from: &str, count: u64) -> Vec<Timestamp> {
    let from = at(from);
    let hours = (0..count).map(|hour| from.after(Duration::from_secs(3_600 * hour)));
    hours.collect()
}

#[tokio::test]
async fn the_first_run_begins_a_day_before_and_the_next_where_it_ended() {
    let world = World::new();
    world.set_clock(at("22T04:30:00"));
    let first = daily(&world).await;
    assert_eq!(asked(&world), hours("21T00:00:00", 25));
    assert_eq!((first.until, first.in_time), (at("22T01:00:00"), true));
    assert_eq!(until(&world).await, Some(at("22T01:00:00")));

    daily(&world).await;
    assert!(asked(&world).is_empty(), "three hours are not over yet");
    world.set_clock(at("24T04:00:00"));
    let next = daily(&world).await;
    assert_eq!(asked(&world), hours("22T01:00:00", 48));
    assert_eq!(next.until, at("24T01:00:00"));
}

#[tokio::test]
async fn what_fails_is_done_by_the_next_run() {
    let world = World::new();
    world.set_clock(at("22T04:30:00"));
    daily(&world).await;
    world.set_clock(at("22T08:00:00"));
    asked(&world);
    world.hear("ours", "1", at("22T01:30:00"), 1000).await;
    world.hear("later", "2", at("22T03:30:00"), 1000).await;

    // The first hour fails three times; the others are compared, and nothing is noted as done.
    *world.books.silent.lock().unwrap() = 3;
    let failed = daily(&world).await;
    assert_eq!((failed.failed, failed.until), (1, at("22T01:00:00")));
    assert_eq!(until(&world).await, Some(at("22T01:00:00")));
    assert_eq!(world.told(), told(&[("later", "missing_at_platform")]));
    asked(&world);

    let mended = daily(&world).await;
    assert_eq!(asked(&world), hours("22T01:00:00", 4));
    assert_eq!((mended.failed, mended.until), (0, at("22T05:00:00")));
    assert_eq!(mended.differences.missing_at_platform, 1);
    assert_eq!(until(&world).await, Some(at("22T05:00:00")));
}

#[tokio::test]
async fn what_is_not_done_in_time_is_done_by_the_next_run() {
    let world = World::new();
    let payments = &world.payments;
    let past = Instant::now();
    let cut = payments.reconcile_due(&world.books, project(), past).await;
    assert_eq!((cut.in_time, cut.until), (false, at("21T00:00:00")));
    assert_eq!(until(&world).await, None);

    // Longer and longer, until all is done.
    let mut runs = 1;
    let reconciled = loop {
        let deadline = Instant::now() + Duration::from_micros(100 * runs);
        let books = &world.books;
        let run = payments.reconcile_due(books, project(), deadline).await;
        if run.in_time {
            break run;
        }
        runs += 1;
    };
    assert_eq!(reconciled.until, at("22T09:00:00"));
    let mut done = asked(&world);
    done.dedup();
    assert_eq!(done, hours("21T00:00:00", 33), "in {runs} runs");
    assert_eq!(until(&world).await, Some(at("22T09:00:00")));
}

#[tokio::test]
async fn a_range_on_demand_leaves_the_progress_as_it_is() {
    let world = World::new();
    world.compare(span("21T00:00:00", "22T09:00:00")).await;
    assert_eq!(until(&world).await, None);
}

#[tokio::test]
async fn a_report_says_how_far_it_came() {
    let world = World::new();
    let report = async || {
        let payments = &world.payments;
        payments.report_due_days(project(), soon(), |_, _| {}).await
    };
    for (now, days, until) in [
        ("22T12:00:00", 1, "22T00:00:00"),
        ("22T13:00:00", 0, "22T00:00:00"),
        ("25T04:30:00", 3, "25T00:00:00"),
    ] {
        world.set_clock(at(now));
        let reported = report().await;
        assert_eq!((reported.days, reported.until), (days, at(until)), "{now}");
    }
}
