//! Measures payments, waits, memory and CPU time in consecutive windows of time.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::time::{ClockId, clock_gettime};

use super::store::Work;
use super::traffic::{Traffic, Waits};
use crate::compare::percentile;
use crate::host::Usage;

pub struct Progress {
    begin: Instant,
    last: Snapshot,
}

#[derive(Debug, Clone)]
struct Snapshot {
    at: Instant,
    checkouts: Vec<Usage>,
    callbacks: Vec<Usage>,
    store: Work,
    /// The CPU time of this process, which runs the services, the Runtime APIs and the shoppers.
    process: Duration,
    /// The CPU time of all processes and of the kernel.
    machine: Duration,
}

#[derive(Debug, Clone)]
pub struct Window {
    /// The time from the start of the run to the end of this window.
    pub at: Duration,
    pub length: Duration,
    /// How long storefronts and the platform waited for answers.
    pub waits: Waits,
    /// The memory of each instance at the end of the window, in bytes. The first list is for `checkout`, and the second
    /// list is for `callback`.
    pub memory: [Vec<u64>; 2],
    pub cpus: Cpus,
    /// The calls of the table in this window.
    pub store: Work,
}

/// The mean number of CPUs in use.
#[derive(Debug, Clone, Copy)]
pub struct Cpus {
    /// All instances of `checkout`.
    pub checkouts: f64,
    /// All instances of `callback`.
    pub callbacks: f64,
    pub store: f64,
    /// The rest of this process: other services, Runtime APIs and shoppers.
    pub stubs: f64,
    /// All other processes, and the kernel.
    pub others: f64,
}

impl Progress {
    /// Starts the first window. `begin` is the start of the run.
    pub fn new(traffic: &Traffic, begin: Instant) -> anyhow::Result<Self> {
        let last = Snapshot::now(traffic)?;
        Ok(Self { begin, last })
    }

    /// Returns the measurements of the window, and starts the next window.
    pub fn window(&mut self, traffic: &Traffic) -> anyhow::Result<Window> {
        let now = Snapshot::now(traffic)?;
        let window = now.since(&self.last, self.begin, traffic.take_waits());
        self.last = now;
        Ok(window)
    }
}

impl Snapshot {
    fn now(traffic: &Traffic) -> anyhow::Result<Self> {
        Ok(Self {
            checkouts: traffic.checkouts.usage()?,
            callbacks: traffic.callbacks.usage()?,
            store: traffic.services.store.work(),
            process: clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?.into(),
            machine: machine_cpu()?,
            at: Instant::now(),
        })
    }

    fn since(&self, earlier: &Self, begin: Instant, waits: Waits) -> Window {
        let length = self.at - earlier.at;
        let cpus = |now: Duration, before: Duration| {
            now.saturating_sub(before).as_secs_f64() / length.as_secs_f64()
        };
        let sum = |usages: &[Usage]| usages.iter().map(|usage| usage.cpu).sum();
        let checkouts = cpus(sum(&self.checkouts), sum(&earlier.checkouts));
        let callbacks = cpus(sum(&self.callbacks), sum(&earlier.callbacks));
        let process = cpus(self.process, earlier.process);
        let machine = cpus(self.machine, earlier.machine);
        let store = cpus(self.store.cpu, earlier.store.cpu);
        let memory = |usages: &[Usage]| usages.iter().map(|usage| usage.memory).collect();
        Window {
            at: self.at - begin,
            length,
            waits,
            memory: [memory(&self.checkouts), memory(&self.callbacks)],
            cpus: Cpus {
                checkouts,
                callbacks,
                store,
                stubs: process - store,
                others: machine - process - checkouts - callbacks,
            },
            store: Work {
                calls: self.store.calls - earlier.store.calls,
                cpu: self.store.cpu - earlier.store.cpu,
            },
        }
    }
}

impl Window {
    /// Returns the number of payments that ended per second.
    pub fn rate(&self) -> f64 {
        self.waits.payments as f64 / self.length.as_secs_f64()
    }
}

impl fmt::Display for Window {
    fn fmt(&self, line: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, rate) = (self.at.as_secs_f64(), self.rate());
        write!(line, "{at:>5.0} s {rate:>6.1} payments/s")?;
        for (name, waits) in [
            ("checkout", &self.waits.checkouts),
            ("callback", &self.waits.callbacks),
        ] {
            let [p50, p99] = [50.0, 99.0].map(|percent| percentile_ms(waits, percent));
            write!(line, " | {name} p50 {p50:.1} p99 {p99:.1} ms")?;
        }
        for (name, memory) in ["checkout", "callback"].into_iter().zip(&self.memory) {
            let least = memory.iter().min().copied().unwrap_or(0);
            let most = memory.iter().max().copied().unwrap_or(0);
            let [least, most] = [least, most].map(megabytes);
            write!(line, " | {name} {least:.2}-{most:.2} MB")?;
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

/// Returns a percentile in milliseconds; 0 without waits.
pub fn percentile_ms(waits: &[Duration], percent: f64) -> f64 {
    let waits = waits.iter().map(|wait| wait.as_secs_f64() * 1e3);
    percentile(&waits.collect::<Vec<_>>(), percent).unwrap_or(0.0)
}

pub fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Returns the CPU time of all CPUs since the start of the machine, without idle time.
fn machine_cpu() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("/proc/stat is empty")?;
    let ticks: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .filter_map(|ticks| ticks.parse().ok())
        .collect();
    // The columns are in hundredths of a second: user, nice, system, idle, iowait, irq and softirq. The CPU is idle
    // during `idle` and `iowait`.
    let busy = ticks.iter().take(7).enumerate();
    let busy = busy.filter(|(column, _)| ![3, 4].contains(column));
    Ok(Duration::from_millis(
        10 * busy.map(|(_, ticks)| ticks).sum::<u64>(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_of_waits_is_in_milliseconds() {
        let waits = [2, 1].map(Duration::from_millis);
        assert_eq!(percentile_ms(&waits, 50.0), 1.0);
        assert_eq!(percentile_ms(&[], 50.0), 0.0);
    }
}
