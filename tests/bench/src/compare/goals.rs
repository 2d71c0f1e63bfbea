//! Defines the goals of the comparison, and compares them with the measurements.

use serde::Serialize;

use super::figures::{median, ratio};
use super::measure::{Case, Functions, Sample, Samples};
use crate::scenario::Scenario;

/// A maximum and the measured value.
#[derive(Debug, Clone, Serialize)]
pub struct Goal {
    /// What is measured.
    pub what: String,
    /// The maximum that meets the goal.
    pub at_most: f64,
    /// The measured value; `None` if nothing was measured.
    pub is: Option<f64>,
    /// The unit; empty for a ratio.
    pub unit: &'static str,
}

impl Goal {
    pub fn is_met(&self) -> bool {
        self.is.is_some_and(|is| is <= self.at_most)
    }

    /// Formats a value. A ratio below 1 becomes a fraction: 0.02 becomes `1/50.0`.
    pub fn show(&self, value: f64) -> String {
        match self.unit {
            "" if value < 1.0 => format!("1/{:.1}", 1.0 / value),
            "" => format!("{value:.1}"),
            unit => format!("{value:.1} {unit}"),
        }
    }
}

/// Returns the goals for the part of the comparison with a CPU limit.
pub fn limited(samples: &Samples) -> Vec<Goal> {
    let cold = |scenario: Scenario, other, at_most: f64| {
        let what = format!("{}: cold start, relative to {other}", scenario.name());
        let is = compare(
            samples,
            (scenario, "ours"),
            (scenario, other),
            Sample::cold_ms,
        );
        ratio_goal(what, is, at_most)
    };
    let new = Scenario::NewCallback;
    let ours = samples.get(&(new, "ours"));
    let first = ours.and_then(|ours| {
        let first = values(ours, |sample| sample.first_ms);
        ratio(&first, &values(ours, Sample::median_warm_ms))
    });
    let what = format!("{}: first event, relative to a warm event", new.name());
    vec![
        cold(new, "rust-defaults", 1.0 / 30.0),
        cold(new, "node", 1.0 / 50.0),
        cold(new, "python", 1.0 / 30.0),
        ratio_goal(what, first, 3.0),
        cold(Scenario::Checkout, "rust-defaults", 1.0 / 20.0),
        cold(Scenario::Refund, "rust-defaults", 1.0 / 20.0),
    ]
}

/// Returns the goals for the part of the comparison without a CPU limit.
pub fn free(samples: &Samples) -> Vec<Goal> {
    let new = Scenario::NewCallback;
    let goals = [("node", 1.0 / 6.0), ("python", 1.0 / 4.0)].map(|(other, at_most)| {
        let what = format!(
            "{}: CPU time of a warm event, relative to {other}",
            new.name()
        );
        let cpu = |sample: &Sample| sample.cpu_us;
        let is = compare(samples, (new, "ours"), (new, other), cpu);
        ratio_goal(what, is, at_most)
    });
    let ours = samples.get(&(new, "ours"));
    let memory = ours.and_then(|ours| median(&values(ours, |sample| sample.memory_mb)));
    let memory = Goal {
        what: format!("{}: memory after the first event", new.name()),
        at_most: 12.0,
        is: memory,
        unit: "MB",
    };
    goals.into_iter().chain([memory]).collect()
}

pub fn sizes(functions: &Functions) -> Vec<Goal> {
    let goals = functions.iter().flat_map(|(name, function)| {
        let goal = |what: &str, bytes: u64, at_most| Goal {
            what: format!("{name}: {what}"),
            at_most,
            is: Some(bytes as f64 / 1e6),
            unit: "MB",
        };
        [
            goal("binary", function.bytes, 8.0),
            goal("package", function.zip_bytes, 4.0),
        ]
    });
    goals.collect()
}

fn ratio_goal(what: String, is: Option<f64>, at_most: f64) -> Goal {
    Goal {
        what,
        at_most,
        is,
        unit: "",
    }
}

fn values(samples: &[Sample], value: fn(&Sample) -> f64) -> Vec<f64> {
    samples.iter().map(value).collect()
}

fn compare(samples: &Samples, one: Case, other: Case, value: fn(&Sample) -> f64) -> Option<f64> {
    let (one, other) = (samples.get(&one)?, samples.get(&other)?);
    ratio(&values(one, value), &values(other, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(first_ms: &[(&'static str, f64)]) -> Samples {
        let samples = first_ms.iter().map(|(target, first_ms)| {
            let case = (Scenario::NewCallback, *target);
            (case, vec![Sample::with_first_ms(*first_ms)])
        });
        samples.collect()
    }

    #[test]
    fn the_goals_with_a_cpu_limit_are_met_missed_or_not_measured() {
        let goals = limited(&samples(&[
            ("ours", 1.0),
            ("rust-defaults", 99.0),
            ("node", 59.0),
        ]));
        let shown: Vec<_> = goals
            .iter()
            .map(|goal| {
                let is = goal.is.map_or("-".to_owned(), |is| goal.show(is));
                format!("{is} of {}: {}", goal.show(goal.at_most), goal.is_met())
            })
            .collect();
        assert_eq!(
            shown,
            [
                "1/50.0 of 1/30.0: true",
                "1/30.0 of 1/50.0: false",
                "- of 1/30.0: false",
                "1.0 of 3.0: true",
                "- of 1/20.0: false",
                "- of 1/20.0: false",
            ]
        );
    }

    #[test]
    fn the_part_without_a_cpu_limit_has_goals_for_cpu_time_and_memory() {
        let goals = free(&samples(&[("ours", 1.0), ("python", 2.0)]));
        let met: Vec<bool> = goals.iter().map(Goal::is_met).collect();
        assert_eq!(met, [false, false, true], "node was not measured");
    }
}
