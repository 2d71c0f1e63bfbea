//! The use cases in a world where everything goes wrong: crashes at every point, lost writes and
//! answers, queues that are down, messages twice and in any order, clocks that jump.
//!
//! Each run follows from its seed. 500 seeds by default, 10,000 with `LONG=1`; `SEED=7` replays one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../memory/mod.rs"]
mod memory;
mod platform;
mod promises;
mod run;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    match number("SEED") {
        Some(seed) => seed..seed + 1,
        None if number("LONG") == Some(1) => 0..10_000,
        None => 0..500,
    }
}

#[test]
fn nothing_is_lost_doubled_or_moved_backwards() {
    let mut totals = run::Totals::default();
    for seed in seeds() {
        match catch_unwind(AssertUnwindSafe(|| run::run(seed))) {
            Ok(run) => totals.add(run),
            Err(cause) => {
                println!("failed with SEED={seed}");
                std::panic::resume_unwind(cause);
            }
        }
    }
    println!("{totals:?}");
    // A world in which nothing happens would prove nothing.
    if seeds().count() > 1 {
        assert!(
            totals.crashes > 0 && totals.paid > 0 && totals.refunded > 0 && totals.failures > 0
        );
    }
}

#[test]
fn a_crash_at_any_point_of_a_usual_payment_is_made_good() {
    let polls = run::usual(None);
    for crash_at in 0..polls {
        run::usual(Some(crash_at));
    }
    assert!(polls > 30, "only {polls} points");
}

#[test]
fn an_hour_without_queues_loses_nothing() {
    let long = std::env::var("LONG").is_ok_and(|long| long == "1");
    let (payments, least) = if long { (2_500, 10_000) } else { (100, 400) };
    let (callbacks, unsent) = run::outage(payments);
    println!("{callbacks} callbacks, {unsent} events unsent at the end of the hour");
    assert!(callbacks >= least && unsent >= payments);
}
