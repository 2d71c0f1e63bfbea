//! What came of a run, for people.

use std::fmt;
use std::time::Duration;

use super::progress::{Cpus, Window, mega, percentile_ms};
use super::{Outcome, Waited};

/// When memory has settled: what it grows by after that would go on growing.
const SETTLED: Duration = Duration::from_secs(60);

/// An outcome in some lines.
#[derive(Debug)]
pub struct Summary<'a>(pub &'a Outcome);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome {
            payments,
            took,
            windows,
            calls,
            found,
        } = self.0;
        let seconds = took.as_secs_f64();
        let rate = f64::from(*payments) / seconds;
        writeln!(
            text,
            "{payments} payments in {seconds:.0} s, {rate:.1} a second, each as planned"
        )?;
        // The last part is what was left over.
        let parts = windows.len().saturating_sub(1).max(1);
        let rates = windows.iter().take(parts).map(Window::rate);
        let slowest = rates.clone().fold(f64::MAX, f64::min);
        let fastest = rates.fold(0.0, f64::max);
        writeln!(
            text,
            "slowest part {slowest:.1} a second, fastest {fastest:.1}"
        )?;
        waited(text, "checkout", windows, |waited| &waited.checkouts)?;
        waited(text, "callback", windows, |waited| &waited.callbacks)?;
        memory(text, windows)?;
        cpus(text, windows)?;
        store(text, windows)?;
        for (name, counts) in [
            ("calls", &calls.all),
            ("lost to another writer", &calls.conflicts),
        ] {
            let counts: Vec<String> = counts
                .iter()
                .map(|(what, count)| format!("{what} {count}"))
                .collect();
            writeln!(text, "{name}: {}", counts.join(", "))?;
        }
        writeln!(
            text,
            "in the end: {} items and {} messages, each where it must be; {} repeats that a queue drops",
            found.items, found.messages, found.repeats
        )
    }
}

fn waited(
    text: &mut fmt::Formatter<'_>,
    name: &str,
    windows: &[Window],
    of: fn(&Waited) -> &Vec<Duration>,
) -> fmt::Result {
    let all: Vec<Duration> = windows
        .iter()
        .flat_map(|window| of(&window.waited))
        .copied()
        .collect();
    let [half, most, worst] = [50.0, 99.0, 100.0].map(|percent| percentile_ms(&all, percent));
    writeln!(
        text,
        "{name}: p50 {half:.1} ms, p99 {most:.1} ms, slowest {worst:.1} ms"
    )
}

impl Outcome {
    /// By what part the memory of the sandbox that grew most has grown since it had settled; `None` if the run was
    /// shorter than that.
    pub fn growth(&self) -> Option<f64> {
        let settled = self.windows.iter().find(|window| window.at >= SETTLED)?;
        let before = settled.memory.iter().flatten();
        let after = self.windows.last()?.memory.iter().flatten();
        let grown = before
            .zip(after)
            .map(|(before, after)| *after as f64 / *before as f64 - 1.0);
        grown.reduce(f64::max)
    }
}

/// The memory of each sandbox, once settled and in the end.
fn memory(text: &mut fmt::Formatter<'_>, windows: &[Window]) -> fmt::Result {
    let settled = windows.iter().find(|window| window.at >= SETTLED);
    let (Some(settled), Some(end)) = (settled.or(windows.first()), windows.last()) else {
        return Ok(());
    };
    for ((name, before), after) in ["checkout", "callback"]
        .into_iter()
        .zip(&settled.memory)
        .zip(&end.memory)
    {
        let of_each: Vec<String> = before
            .iter()
            .zip(after)
            .map(|(before, after)| format!("{:.2} to {:.2}", mega(*before), mega(*after)))
            .collect();
        writeln!(
            text,
            "{name}, memory from {:.0} s to {:.0} s: {} MB",
            settled.at.as_secs_f64(),
            end.at.as_secs_f64(),
            of_each.join(", ")
        )?;
    }
    Ok(())
}

fn cpus(text: &mut fmt::Formatter<'_>, windows: &[Window]) -> fmt::Result {
    let whole: f64 = windows
        .iter()
        .map(|window| window.length.as_secs_f64())
        .sum();
    let mean = |of: fn(&Cpus) -> f64| {
        let used = |window: &Window| of(&window.cpus) * window.length.as_secs_f64();
        windows.iter().map(used).sum::<f64>() / whole
    };
    let mean = Cpus {
        checkouts: mean(|cpus| cpus.checkouts),
        callbacks: mean(|cpus| cpus.callbacks),
        store: mean(|cpus| cpus.store),
        stubs: mean(|cpus| cpus.stubs),
        others: mean(|cpus| cpus.others),
    };
    let there = std::thread::available_parallelism().map_or(0, usize::from);
    writeln!(text, "CPUs, of {there}: {mean}")
}

fn store(text: &mut fmt::Formatter<'_>, windows: &[Window]) -> fmt::Result {
    let calls: u64 = windows.iter().map(|window| window.store.calls).sum();
    let cpu: Duration = windows.iter().map(|window| window.store.cpu).sum();
    let whole: Duration = windows.iter().map(|window| window.length).sum();
    writeln!(
        text,
        "table: {:.0} calls a second, {:.0} us of CPU each, so {:.0} a second with a CPU of its own",
        calls as f64 / whole.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / calls as f64,
        calls as f64 / cpu.as_secs_f64()
    )
}
