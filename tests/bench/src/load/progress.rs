//! How a run goes: payments, waiting times, memory, and who uses the CPUs.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::time::{ClockId, clock_gettime};

use super::store::Work;
use super::traffic::{Traffic, Waited};
use crate::figures::percentile;
use crate::host::Usage;

/// What was used up to a moment.
#[derive(Debug, Clone)]
pub struct Moment {
    at: Instant,
    checkouts: Vec<Usage>,
    callbacks: Vec<Usage>,
    store: Work,
    /// This process: the table, the other services, the sandboxes' Runtime APIs and the shoppers.
    process: Duration,
    /// Every process of the machine.
    machine: Duration,
}

/// What happened between two moments.
#[derive(Debug, Clone)]
pub struct Window {
    /// From the begin of the run to the end of this window.
    pub at: Duration,
    /// How long it was.
    pub length: Duration,
    /// How long callers waited.
    pub waited: Waited,
    /// Memory of each sandbox at the end, in bytes: of checkouts, then of callbacks.
    pub memory: [Vec<u64>; 2],
    /// CPUs used.
    pub cpus: Cpus,
    /// What the store has done.
    pub store: Work,
}

/// CPUs used: 1 is one of them all the time.
#[derive(Debug, Clone, Copy)]
pub struct Cpus {
    /// By `POST /checkouts`.
    pub checkouts: f64,
    /// By `POST /callbacks`.
    pub callbacks: f64,
    /// By the table.
    pub store: f64,
    /// By the rest of this process.
    pub stubs: f64,
    /// By whatever else runs on this machine, the kernel's work included.
    pub others: f64,
}

impl Moment {
    /// Now.
    ///
    /// # Errors
    ///
    /// When a sandbox is gone.
    pub fn now(traffic: &Traffic) -> anyhow::Result<Self> {
        Ok(Self {
            checkouts: traffic.checkouts.usage()?,
            callbacks: traffic.callbacks.usage()?,
            store: traffic.services.store.work(),
            process: clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?.into(),
            machine: machine()?,
            at: Instant::now(),
        })
    }

    /// What happened since an earlier moment.
    pub fn since(&self, earlier: &Self, begin: Instant, waited: Waited) -> Window {
        let length = self.at - earlier.at;
        let used = |now: Duration, before: Duration| {
            now.saturating_sub(before).as_secs_f64() / length.as_secs_f64()
        };
        let of = |usages: &[Usage]| usages.iter().map(|usage| usage.cpu).sum();
        let store = Work {
            calls: self.store.calls - earlier.store.calls,
            cpu: self.store.cpu - earlier.store.cpu,
        };
        let checkouts = used(of(&self.checkouts), of(&earlier.checkouts));
        let callbacks = used(of(&self.callbacks), of(&earlier.callbacks));
        let process = used(self.process, earlier.process);
        let machine = used(self.machine, earlier.machine);
        let table = used(store.cpu, Duration::ZERO);
        let memory = |usages: &[Usage]| usages.iter().map(|usage| usage.memory).collect();
        Window {
            at: self.at - begin,
            length,
            waited,
            memory: [memory(&self.checkouts), memory(&self.callbacks)],
            cpus: Cpus {
                checkouts,
                callbacks,
                store: table,
                stubs: process - table,
                others: machine - process - checkouts - callbacks,
            },
            store,
        }
    }
}

impl Window {
    /// Payments that ended in a second.
    pub fn rate(&self) -> f64 {
        self.waited.payments as f64 / self.length.as_secs_f64()
    }
}

impl fmt::Display for Window {
    fn fmt(&self, line: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.rate();
        write!(
            line,
            "{:>5.0} s {rate:>6.1} payments/s",
            self.at.as_secs_f64()
        )?;
        for (name, waited) in [
            ("checkout", &self.waited.checkouts),
            ("callback", &self.waited.callbacks),
        ] {
            let [half, most] = [50.0, 99.0].map(|percent| percentile_ms(waited, percent));
            write!(line, " | {name} p50 {half:.1} p99 {most:.1} ms")?;
        }
        for (name, memory) in ["checkout", "callback"].into_iter().zip(&self.memory) {
            let least = memory.iter().min().copied().unwrap_or(0);
            let most = memory.iter().max().copied().unwrap_or(0);
            write!(line, " | {name} {:.2}-{:.2} MB", mega(least), mega(most))?;
        }
        write!(line, " | CPUs {}", self.cpus)
    }
}

impl fmt::Display for Cpus {
    fn fmt(&self, line: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            line,
            "checkouts {:.2}, callbacks {:.2}, table {:.2}, stubs {:.2}, others {:.2}",
            self.checkouts, self.callbacks, self.store, self.stubs, self.others
        )
    }
}

/// Milliseconds that so many of a hundred waits do not exceed; 0 of none.
pub fn percentile_ms(waits: &[Duration], percent: f64) -> f64 {
    let waits: Vec<f64> = waits.iter().copied().map(millis).collect();
    percentile(&waits, percent).unwrap_or(0.0)
}

/// Megabytes.
pub fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Milliseconds.
fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// CPU time of the whole machine since it was started, in all but idle.
fn machine() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("no times of the CPUs")?;
    let ticks: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .filter_map(|ticks| ticks.parse().ok())
        .collect();
    // user, nice, system, (idle, iowait), irq, softirq; in hundredths of a second.
    let busy = ticks.iter().take(7).enumerate();
    let busy = busy.filter(|(place, _)| ![3, 4].contains(place));
    Ok(Duration::from_millis(
        10 * busy.map(|(_, ticks)| ticks).sum::<u64>(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_told_in_milliseconds() {
        let waits = [2, 1].map(Duration::from_millis);
        assert_eq!(percentile_ms(&waits, 50.0), 1.0);
        assert_eq!(percentile_ms(&[], 50.0), 0.0);
    }
}
