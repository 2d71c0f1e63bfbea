//! Tests the use cases under faults: crashes at every point, failed writes, lost answers, queues that are down,
//! repeated and reordered messages, and clocks that jump.
//!
//! The seed of a run determines the whole run. The main test runs 500 seeds, or 10,000 seeds with `LONG=1`. `SEED=7`
//! replays the run with this seed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../builders/mod.rs"]
mod builders;
mod crashes;
mod daily_report;
#[path = "../fakes/mod.rs"]
mod fakes;
mod faults;
mod invariants;
mod jobs;
mod lost_callbacks;
mod next_release;
mod outage;
mod platform;
mod random_run;
mod system;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use payments::model::Status;
use serde_json::Value;

use self::random_run::{Mix, Totals};

fn is_long() -> bool {
    std::env::var("LONG").is_ok_and(|long| long == "1")
}

/// Returns the seed in the variable `SEED`. If the variable is not set, returns `long` seeds with `LONG=1`, and
/// `default` seeds without `LONG=1`.
fn seeds(default: u64, long: u64) -> Range<u64> {
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    match seed {
        Some(seed) => seed..seed + 1,
        None if is_long() => 0..long,
        None => 0..default,
    }
}

fn run_all(seeds: Range<u64>, run: impl Fn(u64) -> Totals + Sync) -> Totals {
    let mut totals = Totals::default();
    for run in on_all_cores(seeds, run) {
        totals.add(run);
    }
    println!("{totals:?}");
    totals
}

/// Checks that each counted case occurred, because runs without a case would prove nothing about this case.
fn check_all_happened(totals: &Totals) {
    let mut counts = totals.counts.values();
    assert!(counts.all(|count| *count > 0), "{:?}", totals.counts);
}

/// Runs the seeds on all cores. Prints the seed of a run that fails.
fn on_all_cores<T: Send>(seeds: Range<u64>, run: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicU64::new(seeds.start);
    let run_some = || {
        let mut runs = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return runs;
            }
            match catch_unwind(AssertUnwindSafe(|| run(seed))) {
                Ok(run) => runs.push(run),
                Err(cause) => {
                    println!("failed with SEED={seed}");
                    std::panic::resume_unwind(cause);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let threads = Vec::from_iter((0..cores).map(|_| scope.spawn(run_some)));
        let runs = threads.into_iter().map(|thread| thread.join().unwrap());
        runs.flatten().collect()
    })
}

fn readme() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")
}

/// Returns the changes of status that the diagram in `shared/README.md` shows.
fn shown_transitions() -> BTreeSet<(Status, Status)> {
    let document = std::fs::read_to_string(readme()).unwrap();
    let status = |word: &str| serde_json::from_value::<Status>(word.trim().into()).ok();
    let lines = document.lines().filter_map(|line| {
        let (from, next) = line.split_once(" --> ")?;
        let next: Option<Vec<Status>> = next.split(" & ").map(status).collect();
        Some((status(from)?, next?))
    });
    lines
        .flat_map(|(from, next)| next.into_iter().map(move |to| (from, to)))
        .collect()
}

/// Checks that the diagram in `shared/README.md` has each of these changes of status. `UPDATE_SNAPSHOTS=1` adds the
/// missing changes.
fn check_diagram(transitions: &BTreeSet<(Status, Status)>) {
    let word = |status: &Status| match serde_json::to_value(status).unwrap() {
        Value::String(word) => word,
        other => panic!("{other} is no status"),
    };
    let mut next: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut order = Vec::new();
    for (from, to) in &(&shown_transitions() | transitions) {
        let from = word(from);
        if !next.contains_key(&from) {
            order.push(from.clone());
        }
        next.entry(from).or_default().push(word(to));
    }
    let lines = order
        .iter()
        .map(|from| format!("    {from} --> {}", next[from].join(" & ")));
    let diagram = format!(
        "```mermaid\nflowchart LR\n    start((start)) --> created & unmatched\n{}\n```",
        Vec::from_iter(lines).join("\n")
    );
    snapshots::check_block(&readme(), "transitions", &diagram).unwrap();
}

#[test]
fn no_payment_or_event_is_lost_repeated_or_reversed_under_faults() {
    let seeds = seeds(500, 10_000);
    let totals = run_all(seeds.clone(), |seed| random_run::run(seed, Mix::Usual));
    check_diagram(&totals.transitions);
    if seeds.count() > 1 {
        check_all_happened(&totals);
    }
}

#[test]
fn a_payment_of_another_system_never_counts_as_ours_and_ours_never_counts_as_foreign() {
    let seeds = seeds(300, 10_000);
    let totals = run_all(seeds.clone(), |seed| random_run::run(seed, Mix::Foreign));
    if seeds.count() > 1 {
        check_all_happened(&totals);
    }
}

/// In some runs, the platform refuses a second refund with the same id. In the other runs, the platform ignores our
/// refund ids. `LONG=1` makes a million refund attempts.
#[test]
fn no_refund_exceeds_the_remaining_amount_or_is_executed_twice() {
    let seeds = seeds(60, 5_000);
    let totals = run_all(seeds.clone(), |seed| random_run::run(seed, Mix::Refunds));
    let counts = &totals.counts;
    assert!(seeds.count() < 5_000 || counts["refund attempts"] >= 1_000_000);
    assert!(counts["refunded"] > 0);
}

/// The next release writes fields and words that this release does not know. No write of this release loses an unknown
/// field or word, and every payment has the same end as with one release.
#[test]
fn two_releases_on_one_table_lose_nothing_of_each_other() {
    let seeds = seeds(200, 10_000);
    let totals = run_all(seeds.clone(), |seed| {
        random_run::run(seed, Mix::TwoReleases)
    });
    if seeds.count() > 1 {
        check_all_happened(&totals);
    }
}

#[test]
fn every_payment_reaches_its_end_although_callbacks_are_lost() {
    let seeds = seeds(60, 5_000);
    let totals = run_all(seeds.clone(), lost_callbacks::run);
    if seeds.count() > 1 {
        check_all_happened(&totals);
    }
}

#[test]
fn a_seed_replays_the_same_run() {
    for seed in 0..5 {
        let run = || random_run::run(seed, Mix::Usual);
        assert_eq!(run(), run());
    }
}

#[test]
fn a_payment_with_a_crash_at_any_step_ends_like_a_payment_without_a_crash() {
    let steps = crashes::run(None);
    for crash_at in 0..steps {
        crashes::run(Some(crash_at));
    }
    assert!(steps > 25, "only {steps} steps");
}

#[test]
fn no_event_is_lost_if_all_queues_are_down_for_an_hour() {
    let (payments, least) = if is_long() {
        (2_500, 10_000)
    } else {
        (100, 400)
    };
    let (callbacks, unpublished) = outage::run(payments);
    println!("{callbacks} callbacks, {unpublished} events unpublished at the end of the hour");
    assert!(callbacks >= least && unpublished >= payments);
}
