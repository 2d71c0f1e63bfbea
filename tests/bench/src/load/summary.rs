//! Writes the summary of a run.

use std::fmt;
use std::time::Duration;

use super::Outcome;
use super::progress::{Cpus, Window, megabytes, percentile_ms};
use super::traffic::Waits;

/// After this time, an instance's memory should stay constant. Further growth shows a leak.
const WARM_UP: Duration = Duration::from_secs(60);

impl fmt::Display for Outcome {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome {
            payments,
            took,
            windows,
            calls,
            found,
        } = self;
        let seconds = took.as_secs_f64();
        let rate = f64::from(*payments) / seconds;
        writeln!(
            text,
            "{payments} payments in {seconds:.0} s, {rate:.1} per second, all as planned"
        )?;
        // The last window is left out. It is shorter, because it ends with the last payment.
        let whole = windows.len().saturating_sub(1).max(1);
        let rates = windows.iter().take(whole).map(Window::rate);
        let slowest = rates.clone().fold(f64::MAX, f64::min);
        let fastest = rates.fold(0.0, f64::max);
        writeln!(
            text,
            "slowest window {slowest:.1} payments per second, fastest window {fastest:.1}"
        )?;
        waits(text, "checkout", windows, |waits| &waits.checkouts)?;
        waits(text, "callback", windows, |waits| &waits.callbacks)?;
        memory(text, windows)?;
        cpus(text, windows)?;
        store(text, windows)?;
        for (name, counts) in [("calls", &calls.all), ("conflicts", &calls.conflicts)] {
            let counts = counts.iter();
            let counts = counts.map(|(operation, count)| format!("{operation} {count}"));
            writeln!(text, "{name}: {}", counts.collect::<Vec<_>>().join(", "))?;
        }
        writeln!(
            text,
            "checked: {} items and {} messages; {} repeated messages, which a FIFO queue drops",
            found.items, found.messages, found.repeats
        )
    }
}

impl Outcome {
    /// Returns the largest relative growth of an instance's memory after the warm-up; `None` for a shorter run.
    pub fn growth(&self) -> Option<f64> {
        let warm = self.windows.iter().find(|window| window.at >= WARM_UP)?;
        let before = warm.memory.iter().flatten();
        let after = self.windows.last()?.memory.iter().flatten();
        let growth = before
            .zip(after)
            .map(|(before, after)| *after as f64 / *before as f64 - 1.0);
        growth.reduce(f64::max)
    }
}

fn waits(
    text: &mut fmt::Formatter<'_>,
    name: &str,
    windows: &[Window],
    of: fn(&Waits) -> &Vec<Duration>,
) -> fmt::Result {
    let all = windows.iter().flat_map(|window| of(&window.waits));
    let all: Vec<Duration> = all.copied().collect();
    let [p50, p99, slowest] = [50.0, 99.0, 100.0].map(|percent| percentile_ms(&all, percent));
    writeln!(
        text,
        "{name}: p50 {p50:.1} ms, p99 {p99:.1} ms, slowest {slowest:.1} ms"
    )
}

/// Writes the memory of each instance after the warm-up and at the end. In a run shorter than the warm-up, writes the
/// memory after the first window and at the end.
fn memory(text: &mut fmt::Formatter<'_>, windows: &[Window]) -> fmt::Result {
    let warm = windows.iter().find(|window| window.at >= WARM_UP);
    let (Some(warm), Some(end)) = (warm.or(windows.first()), windows.last()) else {
        return Ok(());
    };
    let of_functions = warm.memory.iter().zip(&end.memory);
    for (name, (before, after)) in ["checkout", "callback"].into_iter().zip(of_functions) {
        let of_each: Vec<String> = before
            .iter()
            .zip(after)
            .map(|(before, after)| format!("{:.2} to {:.2}", megabytes(*before), megabytes(*after)))
            .collect();
        writeln!(
            text,
            "{name}, memory from {:.0} s to {:.0} s: {} MB",
            warm.at.as_secs_f64(),
            end.at.as_secs_f64(),
            of_each.join(", ")
        )?;
    }
    Ok(())
}

fn cpus(text: &mut fmt::Formatter<'_>, windows: &[Window]) -> fmt::Result {
    let seconds = |window: &Window| window.length.as_secs_f64();
    let whole: f64 = windows.iter().map(seconds).sum();
    let mean = |of: fn(&Cpus) -> f64| {
        let used = windows
            .iter()
            .map(|window| of(&window.cpus) * seconds(window));
        used.sum::<f64>() / whole
    };
    let mean = Cpus {
        checkouts: mean(|cpus| cpus.checkouts),
        callbacks: mean(|cpus| cpus.callbacks),
        store: mean(|cpus| cpus.store),
        stubs: mean(|cpus| cpus.stubs),
        others: mean(|cpus| cpus.others),
    };
    let available = std::thread::available_parallelism().map_or(0, usize::from);
    writeln!(text, "CPUs in use, of {available}: {mean}")
}

fn store(text: &mut fmt::Formatter<'_>, windows: &[Window]) -> fmt::Result {
    let calls: u64 = windows.iter().map(|window| window.store.calls).sum();
    let cpu: Duration = windows.iter().map(|window| window.store.cpu).sum();
    let whole: Duration = windows.iter().map(|window| window.length).sum();
    writeln!(
        text,
        "table: {:.0} calls per second, {:.0} us of CPU time per call; one CPU could answer {:.0} calls per second",
        calls as f64 / whole.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / calls as f64,
        calls as f64 / cpu.as_secs_f64()
    )
}
