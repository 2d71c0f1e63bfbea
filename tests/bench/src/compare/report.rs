//! Writes the result tables as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::figures::Figures;
use super::goals::Goal;
use super::measure::{Functions, Plan, Samples, TARGETS};
use crate::scenario::Scenario;

/// A function with this memory in MB has one CPU:
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>.
pub const MB_PER_CPU: f64 = 1769.0;

#[derive(Debug, Serialize)]
pub struct Report {
    pub machine: String,
    /// The part with a CPU limit, and the part without a CPU limit.
    pub parts: [Part; 2],
    /// For each function of each target: its name, the target, and the bytes of the unpacked code and of the package.
    pub sizes: Vec<(String, String, u64, u64)>,
    pub goals: Vec<Goal>,
    pub left_out: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Part {
    /// The share of a CPU after init. `None` sets no limit.
    pub share: Option<f64>,
    /// The warm events of each process.
    pub warm: usize,
    /// One row for each scenario and target. Empty if the part was skipped.
    pub rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
pub struct Row {
    pub scenario: &'static str,
    pub target: &'static str,
    #[serde(flatten)]
    pub figures: Figures,
}

impl Part {
    pub fn new(plan: Plan, samples: &Samples) -> Self {
        let cases = Scenario::ALL
            .into_iter()
            .flat_map(|scenario| TARGETS.map(|target| (scenario, target)));
        let row = |(scenario, target)| {
            Some(Row {
                scenario: Scenario::name(scenario),
                target,
                figures: Figures::of(samples.get(&(scenario, target))?)?,
            })
        };
        Self {
            share: plan.share,
            warm: plan.warm,
            rows: cases.filter_map(row).collect(),
        }
    }

    fn markdown(&self) -> String {
        let Some(first) = self.rows.first() else {
            return String::new();
        };
        let title = match self.share {
            Some(share) => format!(
                "With {share} of a CPU after init, like a function with {:.0} MB",
                share * MB_PER_CPU
            ),
            None => "Without a CPU limit".to_owned(),
        };
        let mut text = format!(
            "\n### {title}\n\nEach figure is the median of {} rounds. p50 and p99 are percentiles over all rounds. \
             In each round, a process\nhandles {} warm events.\n\n\
             | scenario | target | init, ms | first, ms | cold, ms | warm p50, ms | warm p99, ms | CPU, us | memory, MB \
             | connections |\n\
             | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
            first.figures.rounds, self.warm,
        );
        for row in &self.rows {
            let figures = &row.figures;
            let durations = [
                figures.init_ms,
                figures.first_ms,
                figures.cold_ms,
                figures.warm_p50_ms,
                figures.warm_p99_ms,
            ];
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:.0} | {:.1} | {:.0} |",
                row.scenario,
                row.target,
                durations.map(digits).join(" | "),
                figures.cpu_us,
                figures.memory_mb,
                figures.connections,
            );
        }
        text
    }
}

pub fn sizes(functions: &BTreeMap<&'static str, Functions>) -> Vec<(String, String, u64, u64)> {
    let of_target = |target: &'static str| {
        let functions = functions.get(target).into_iter().flatten();
        functions.map(move |(name, function)| {
            let (bytes, zip_bytes) = (function.bytes, function.zip_bytes);
            (name.clone(), target.to_owned(), bytes, zip_bytes)
        })
    };
    TARGETS.into_iter().flat_map(of_target).collect()
}

impl Report {
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "Measured on {}.\n[The method](../README.md#method) explains the scenarios, targets and columns. \
             The target *ours* is the deployed\nfunction. The other targets are baselines.\n",
            self.machine
        );
        for left_out in &self.left_out {
            let _ = writeln!(text, "\nLeft out: {left_out}");
        }
        text += "\n### Goals\n\nThe value 1/30.0 means that our figure is 30 times smaller than the other figure.\n\n\
                 | goal | measured | maximum | met |\n| --- | ---: | ---: | --- |\n";
        for goal in &self.goals {
            let at_most = goal.show(goal.at_most);
            let (is, met) = match goal.is {
                Some(is) if goal.is_met() => (goal.show(is), "yes"),
                Some(is) => (goal.show(is), "**no**"),
                None => (String::new(), "not measured"),
            };
            let _ = writeln!(text, "| {} | {is} | {at_most} | {met} |", goal.what);
        }
        for part in &self.parts {
            text += &part.markdown();
        }
        text += "\n### Sizes\n\n| function | target | code, MB | package, MB |\n| --- | --- | ---: | ---: |\n";
        for (function, target, bytes, zip_bytes) in &self.sizes {
            let (bytes, zip_bytes) = (*bytes as f64 / 1e6, *zip_bytes as f64 / 1e6);
            let _ = writeln!(
                text,
                "| {function} | {target} | {bytes:.1} | {zip_bytes:.1} |"
            );
        }
        text + &self.calls()
    }

    /// Returns the table of calls. Uses only one part, because the calls are the same in both parts.
    fn calls(&self) -> String {
        let mut text =
            "\n### Calls of a warm event\n\n`TransactWriteItems of 3` is one transaction with three items.\n\n\
             | scenario | target | calls |\n| --- | --- | --- |\n"
                .to_owned();
        let measured = self.parts.iter().find(|part| !part.rows.is_empty());
        for row in measured.into_iter().flat_map(|part| &part.rows) {
            let calls = row.figures.calls.iter();
            let calls: Vec<String> = calls
                .map(|(name, count)| match *count {
                    1.0 => name.clone(),
                    count => format!("{count} {name}"),
                })
                .collect();
            let calls = if calls.is_empty() {
                "none".to_owned()
            } else {
                calls.join(", ")
            };
            let _ = writeln!(text, "| {} | {} | {calls} |", row.scenario, row.target);
        }
        text
    }
}

/// Formats a duration with three digits. Further digits would differ in each run.
fn digits(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::measure::Sample;
    use super::*;

    #[test]
    fn a_duration_has_three_digits() {
        let written = [0.1234, 1.234, 12.34, 123.4, 1234.0].map(digits);
        assert_eq!(written, ["0.12", "1.23", "12.3", "123", "1234"]);
    }

    #[test]
    fn a_report_shows_goals_rows_sizes_and_left_out_targets() {
        let goal = |is| Goal {
            what: "callback".into(),
            at_most: 4.0,
            is,
            unit: "MB",
        };
        let case = (Scenario::Refund, "ours");
        let samples = [(case, vec![Sample::with_first_ms(1.5)])].into();
        let plan = |share| Plan {
            share,
            rounds: 1,
            warm: 1,
            warmup: 0,
        };
        let report = Report {
            machine: "a machine".into(),
            parts: [
                Part::new(plan(Some(0.0723)), &samples),
                Part::new(plan(None), &Samples::new()),
            ],
            sizes: vec![("callback".into(), "ours".into(), 6_900_000, 3_100_000)],
            goals: vec![goal(Some(3.0)), goal(Some(5.0)), goal(None)],
            left_out: vec!["there is no node".into()],
        };
        let text = report.markdown();
        for line in [
            "Left out: there is no node",
            "| callback | 3.0 MB | 4.0 MB | yes |",
            "| callback | 5.0 MB | 4.0 MB | **no** |",
            "| callback |  | 4.0 MB | not measured |",
            "### With 0.0723 of a CPU after init, like a function with 128 MB",
            "| refund | ours | 1.00 | 1.50 | 2.50 | 1.00 | 1.00 | 2 | 10.0 | 1 |",
            "| callback | ours | 6.9 | 3.1 |",
            "| refund | ours | none |",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("Without a CPU limit"), "{text}");
    }
}
