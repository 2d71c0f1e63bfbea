//! What is to be reached, and whether it is.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::figures::{Metric, median, ratio};
use crate::measure::{Case, Function, Sample, Samples};
use crate::scenario::Scenario;

/// A goal and what was measured.
#[derive(Debug, Clone, Serialize)]
pub struct Goal {
    /// What it is about.
    pub what: String,
    /// The most that it may be.
    pub at_most: f64,
    /// What it is; `None` if it was not measured.
    pub is: Option<f64>,
    /// In what.
    pub unit: &'static str,
}

impl Goal {
    /// Whether it is reached.
    pub fn is_met(&self) -> bool {
        self.is.is_some_and(|is| is <= self.at_most)
    }

    /// A value as people read it: a small ratio by what it is the inverse of.
    pub fn show(&self, value: f64) -> String {
        match self.unit {
            "" if value < 1.0 => format!("1/{:.1}", 1.0 / value),
            "" => format!("{value:.1}"),
            unit => format!("{value:.1} {unit}"),
        }
    }
}

/// The goals of what runs with a share of a CPU.
pub fn throttled(samples: &Samples) -> Vec<Goal> {
    let new = Scenario::NewCallback;
    let against = |scenario, other, at_most: f64| {
        let what = format!("{}, cold, against {other}", Scenario::name(scenario));
        let is = compare(samples, (scenario, "ours"), (scenario, other), Metric::Cold);
        ratio_goal(what, is, at_most)
    };
    let own = |scenario: Scenario| {
        let ours = samples.get(&(scenario, "ours"));
        let is =
            ours.and_then(|ours| ratio(&values(ours, Metric::First), &values(ours, Metric::Warm)));
        let what = format!("{}, first event against a warm one", scenario.name());
        ratio_goal(what, is, 3.0)
    };
    vec![
        against(new, "rust-defaults", 1.0 / 30.0),
        against(new, "node", 1.0 / 50.0),
        against(new, "python", 1.0 / 30.0),
        own(new),
        against(Scenario::Checkout, "rust-defaults", 1.0 / 20.0),
        against(Scenario::Refund, "rust-defaults", 1.0 / 20.0),
    ]
}

/// The goals of what runs freely.
pub fn free(samples: &Samples) -> Vec<Goal> {
    let new = Scenario::NewCallback;
    let goals = [("node", 1.0 / 6.0), ("python", 1.0 / 4.0)].map(|(other, at_most)| {
        let what = format!("{}, CPU of a warm event, against {other}", new.name());
        let is = compare(samples, (new, "ours"), (new, other), Metric::Cpu);
        ratio_goal(what, is, at_most)
    });
    let ours = samples.get(&(new, "ours")).into_iter().flatten();
    let memory: Vec<f64> = ours.map(|sample| sample.memory_mb).collect();
    let memory = Goal {
        what: format!("{}, memory after the first event", new.name()),
        at_most: 12.0,
        is: median(&memory),
        unit: "MB",
    };
    goals.into_iter().chain([memory]).collect()
}

/// The goals of the sizes of our functions.
pub fn sizes(functions: &BTreeMap<String, Function>) -> Vec<Goal> {
    let goals = functions.iter().flat_map(|(name, function)| {
        let goal = |what: &str, bytes: u64, at_most| Goal {
            what: format!("{name}, {what}"),
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
    let unit = "";
    Goal {
        what,
        at_most,
        is,
        unit,
    }
}

fn values(samples: &[Sample], metric: Metric) -> Vec<f64> {
    samples.iter().map(|sample| metric.of(sample)).collect()
}

fn compare(samples: &Samples, one: Case, other: Case, metric: Metric) -> Option<f64> {
    let (one, other) = (samples.get(&one)?, samples.get(&other)?);
    ratio(&values(one, metric), &values(other, metric))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(first_ms: f64) -> Sample {
        Sample {
            init_ms: 1.0,
            first_ms,
            warm_ms: vec![1.0],
            cpu_us: first_ms,
            memory_mb: 10.0,
            calls: BTreeMap::new(),
            connections: 1,
        }
    }

    fn samples(pairs: &[(&'static str, f64)]) -> Samples {
        let samples = pairs.iter();
        samples
            .map(|(target, first)| ((Scenario::NewCallback, *target), vec![sample(*first)]))
            .collect()
    }

    #[test]
    fn a_goal_is_met_or_not_and_told_as_people_read_it() {
        let goals = throttled(&samples(&[
            ("ours", 1.0),
            ("rust-defaults", 99.0),
            ("node", 59.0),
        ]));
        let told: Vec<_> = goals
            .iter()
            .filter_map(|goal| Some((goal.show(goal.is?), goal.show(goal.at_most), goal.is_met())))
            .collect();
        let told: Vec<_> = told
            .iter()
            .map(|(is, most, met)| (is.as_str(), most.as_str(), *met))
            .collect();
        // Python was left out; there was no checkout.
        assert_eq!(goals.len(), 6);
        assert_eq!(
            told,
            [
                ("1/50.0", "1/30.0", true),
                ("1/30.0", "1/50.0", false),
                ("1.0", "3.0", true),
            ]
        );
    }

    #[test]
    fn cpu_and_memory_are_goals_of_the_free_part() {
        let goals = free(&samples(&[("ours", 1.0), ("python", 2.0)]));
        let met: Vec<bool> = goals.iter().map(Goal::is_met).collect();
        assert_eq!(met, [false, false, true], "there was no Node");
    }
}
