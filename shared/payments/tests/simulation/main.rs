//! The use cases in a world where everything goes wrong: crashes at every point, lost writes and
//! answers, queues that are down, messages twice and in any order, clocks that jump.
//!
//! Each run follows from its seed. 500 seeds by default, 10,000 with `LONG=1`; `SEED=7` replays one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod books;
#[path = "../memory/mod.rs"]
mod memory;
mod platform;
mod promises;
mod run;
mod silent;
mod system;
mod world;

use std::collections::BTreeSet;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use payments::model::Status;

fn seeds() -> Range<u64> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    match number("SEED") {
        Some(seed) => seed..seed + 1,
        None if number("LONG") == Some(1) => 0..10_000,
        None => 0..500,
    }
}

fn run_all(seeds: Range<u64>, mix: run::Mix) -> run::Totals {
    let mut totals = run::Totals::default();
    for run in on_all_cores(seeds, |seed| run::run(seed, mix)) {
        totals.add(run);
    }
    totals
}

/// Runs the seeds on all cores; one that fails is named.
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

/// The diagram of `shared/README.md`; `UPDATE_SNAPSHOTS=1` writes it as it is now.
fn check_diagram(transitions: &BTreeSet<(Status, Status)>) {
    let word = |status: &Status| serde_json::to_value(status).unwrap();
    let mut diagram =
        "```mermaid\nstateDiagram-v2\n    [*] --> created\n    [*] --> unmatched\n".to_owned();
    for (from, to) in transitions {
        let (from, to) = (word(from), word(to));
        diagram += &format!(
            "    {} --> {}\n",
            from.as_str().unwrap(),
            to.as_str().unwrap()
        );
    }
    diagram += "```\n";
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    snapshots::check_block(&document, "transitions", &diagram).unwrap();
}

#[test]
fn nothing_is_lost_doubled_or_moved_backwards() {
    let totals = run_all(seeds(), run::Mix::Usual);
    println!("{totals:?}");
    if seeds() == (0..500) {
        check_diagram(&totals.transitions);
    }
    // A world in which nothing happens would prove nothing.
    if seeds().count() > 1 {
        let happened = [
            totals.crashes,
            totals.paid,
            totals.refunded,
            totals.failures,
            totals.polls,
            totals.taken_back,
            totals.expired,
            totals.awaiting_confirmation,
            totals.returned,
            totals.odd,
            totals.differences,
            totals.paid_twice,
        ];
        assert!(happened.iter().all(|times| *times > 0));
    }
}

/// Of a platform that tells refunds apart by our ids, and of one that does not; a million attempts
/// with `LONG=1`.
#[test]
fn no_refund_exceeds_what_is_left_or_happens_twice() {
    let long = std::env::var("LONG").is_ok_and(|long| long == "1");
    let totals = match std::env::var_os("SEED") {
        Some(_) => run_all(seeds(), run::Mix::Refunds),
        None => run_all(if long { 0..5_000 } else { 0..60 }, run::Mix::Refunds),
    };
    println!("{totals:?}");
    assert!(!long || totals.refund_attempts >= 1_000_000);
    assert!(totals.refunded > 0);
}

/// 60 seeds by default, 5,000 with `LONG=1`.
#[test]
fn without_callbacks_everything_still_comes_to_its_end() {
    let long = std::env::var("LONG").is_ok_and(|long| long == "1");
    let seeds = match std::env::var_os("SEED") {
        Some(_) => seeds(),
        None => 0..if long { 5_000 } else { 60 },
    };
    let runs = on_all_cores(seeds, silent::run);
    let mut all = silent::Learnt::default();
    for run in &runs {
        all.polls += run.polls;
        all.succeeded += run.succeeded;
        all.declined += run.declined;
        all.failed += run.failed;
        all.refunded += run.refunded;
    }
    println!("{all:?}");
    if runs.len() > 1 {
        let happened = [all.succeeded, all.declined, all.failed, all.refunded];
        assert!(happened.iter().all(|times| *times > 0), "{all:?}");
    }
}

#[test]
fn a_seed_replays_to_the_letter() {
    for seed in 0..5 {
        let run = || run::run(seed, run::Mix::Usual);
        assert_eq!(run(), run());
    }
}

#[test]
fn a_crash_at_any_point_of_a_usual_payment_is_made_good() {
    let polls = run::usual(None);
    for crash_at in 0..polls {
        run::usual(Some(crash_at));
    }
    assert!(polls > 25, "only {polls} points");
}

#[test]
fn an_hour_without_queues_loses_nothing() {
    let long = std::env::var("LONG").is_ok_and(|long| long == "1");
    let (payments, least) = if long { (2_500, 10_000) } else { (100, 400) };
    let (callbacks, unpublished) = run::outage(payments);
    println!("{callbacks} callbacks, {unpublished} events unpublished at the end of the hour");
    assert!(callbacks >= least && unpublished >= payments);
}
