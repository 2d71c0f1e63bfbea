//! Makes random runs of the delivery of events: endpoints fail, answer 410, are removed and switched on again;
//! functions crash at any point and work at the same time; queues repeat, refuse and delay messages.
//!
//! The seed of a run determines the whole run. The test runs 200 seeds, or 10,000 seeds with `LONG=1`. `SEED=7` replays
//! the run with this seed.

mod checks;
mod faults;
mod queues;
mod run;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use self::run::Run;

pub type Counts = BTreeMap<&'static str, u64>;

fn seeds() -> Range<u64> {
    let seed = std::env::var("SEED").ok();
    match seed.and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None if std::env::var("LONG").is_ok_and(|long| long == "1") => 0..10_000,
        None => 0..200,
    }
}

fn run(seed: u64) -> Counts {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.unwrap().block_on(async {
        let mut run = Run::new(seed).await;
        run.with_faults().await;
        run.without_faults().await;
        run.counts
    })
}

#[test]
fn each_wanted_event_reaches_its_endpoint_in_order_or_is_a_dead_letter_and_none_follows_a_410() {
    let seeds = seeds();
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut totals = Counts::new();
        loop {
            let seed = next.fetch_add(1, Relaxed);
            if seed >= seeds.end {
                return totals;
            }
            let result = std::panic::catch_unwind(|| run(seed));
            let Ok(counts) = result else {
                panic!("SEED={seed} failed");
            };
            for (name, count) in counts {
                *totals.entry(name).or_default() += count;
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut totals = Counts::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            for (name, count) in thread.join().unwrap() {
                *totals.entry(name).or_default() += count;
            }
        }
    });
    println!("{totals:?}");
    // Runs without a case would prove nothing about this case.
    if seeds.end - seeds.start >= 200 {
        for name in run::CASES {
            assert!(
                totals.get(name).is_some_and(|count| *count > 0),
                "{name}: {totals:?}"
            );
        }
    }
}
