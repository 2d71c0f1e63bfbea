//! The tables that people read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::figures::Figures;
use crate::goals::Goal;
use crate::measure::{Case, Function, Plan, Samples, TARGETS};
use crate::scenario::Scenario;

/// A function of that memory has a whole CPU: [AWS](https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
pub const MB_OF_A_CPU: f64 = 1769.0;

/// Everything that a run has shown.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What was measured on.
    pub machine: String,
    /// The parts of the run.
    pub parts: Vec<Part>,
    /// The sizes of all functions, in bytes, unpacked and as a package.
    pub sizes: Vec<(String, String, u64, u64)>,
    /// What is to be reached.
    pub goals: Vec<Goal>,
    /// What was left out, and why.
    pub left_out: Vec<String>,
}

/// A plan and what came of it.
#[derive(Debug, Serialize)]
pub struct Part {
    /// The share of a CPU after init.
    pub share: Option<f64>,
    /// How many later events each process had.
    pub warm: usize,
    /// What was measured.
    pub rows: Vec<Row>,
}

/// The figures of a case.
#[derive(Debug, Serialize)]
pub struct Row {
    /// What was to be done.
    pub scenario: &'static str,
    /// By whom.
    pub target: &'static str,
    /// What it took.
    #[serde(flatten)]
    pub figures: Figures,
}

impl Part {
    /// Of the samples of a plan.
    pub fn new(plan: Plan, samples: &Samples) -> Self {
        let row = |((scenario, target), samples): (&Case, &Vec<_>)| {
            Some(Row {
                scenario: scenario.name(),
                target,
                figures: Figures::of(samples)?,
            })
        };
        let mut rows: Vec<Row> = samples.iter().filter_map(row).collect();
        let place = |row: &Row| {
            let scenario = Scenario::ALL
                .iter()
                .position(|one| one.name() == row.scenario);
            let target = TARGETS.iter().position(|one| *one == row.target);
            (scenario, target)
        };
        rows.sort_by_key(place);
        Self {
            share: plan.share,
            warm: plan.warm,
            rows,
        }
    }

    /// The figures of a case.
    pub fn of(&self, scenario: Scenario, target: &str) -> Option<&Figures> {
        let mut rows = self.rows.iter();
        let row = rows.find(|row| row.scenario == scenario.name() && row.target == target);
        row.map(|row| &row.figures)
    }

    fn title(&self) -> String {
        match self.share {
            Some(share) => format!(
                "{share} of a CPU after init, as a function of {:.0} MB has it",
                share * MB_OF_A_CPU
            ),
            None => "As many CPUs as it can use".to_owned(),
        }
    }
}

/// The sizes of all functions.
pub fn sizes(
    functions: &BTreeMap<&'static str, BTreeMap<String, Function>>,
) -> Vec<(String, String, u64, u64)> {
    let of_target = |target: &str| {
        let functions = functions.get(target).into_iter().flatten();
        let target = target.to_owned();
        functions.map(move |(name, function)| {
            (
                name.clone(),
                target.clone(),
                function.bytes,
                function.zip_bytes,
            )
        })
    };
    TARGETS.into_iter().flat_map(of_target).collect()
}

impl Report {
    /// As Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("Measured on {}.\n", self.machine);
        for left_out in &self.left_out {
            let _ = writeln!(text, "\nLeft out: {left_out}");
        }
        text += "\n### Goals\n\n| | is | at most | met |\n| --- | ---: | ---: | --- |\n";
        for goal in &self.goals {
            let at_most = goal.show(goal.at_most);
            let (is, met) = match goal.is {
                Some(is) if goal.is_met() => (goal.show(is), "yes"),
                Some(is) => (goal.show(is), "**no**"),
                None => (String::new(), "not measured"),
            };
            let _ = writeln!(text, "| {} | {is} | {at_most} | {met} |", goal.what);
        }
        for part in self.measured() {
            text += &part.markdown();
        }
        text +=
            "\n### Sizes\n\n| function | | code, MB | package, MB |\n| --- | --- | ---: | ---: |\n";
        for (function, target, bytes, zip_bytes) in &self.sizes {
            let (bytes, zip_bytes) = (*bytes as f64 / 1e6, *zip_bytes as f64 / 1e6);
            let _ = writeln!(
                text,
                "| {function} | {target} | {bytes:.1} | {zip_bytes:.1} |"
            );
        }
        text + &self.calls()
    }

    fn measured(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| !part.rows.is_empty())
    }

    /// What a later event calls, by the first part; it is the same in all.
    fn calls(&self) -> String {
        let mut text =
            "\n### Calls of a warm event\n\n| | | calls |\n| --- | --- | --- |\n".to_owned();
        for row in self.measured().take(1).flat_map(|part| &part.rows) {
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

impl Part {
    fn markdown(&self) -> String {
        let rounds = self.rows.first().map_or(0, |row| row.figures.rounds);
        let mut text = format!(
            "\n### {}\n\nMedians of {rounds} rounds, with {} warm events each.\n\n\
             | | | init ms | first ms | cold ms | warm p50 ms | warm p99 ms | CPU us | memory MB | connections |\n\
             | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
            self.title(),
            self.warm,
        );
        for row in &self.rows {
            let figures = &row.figures;
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} | {:.0} | {:.1} | {:.0} |",
                row.scenario,
                row.target,
                digits(figures.init_ms),
                digits(figures.first_ms),
                digits(figures.cold_ms),
                digits(figures.warm_p50_ms),
                digits(figures.warm_p99_ms),
                figures.cpu_us,
                figures.memory_mb,
                figures.connections,
            );
        }
        text
    }
}

/// Three digits, as more would be chance.
fn digits(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_three_digits() {
        let written = [0.1234, 1.234, 12.34, 123.4, 1234.0].map(digits);
        assert_eq!(written, ["0.12", "1.23", "12.3", "123", "1234"]);
    }

    #[test]
    fn a_report_shows_what_is_not_met_and_what_was_left_out() {
        let goal = |is| Goal {
            what: "callback".into(),
            at_most: 4.0,
            is,
            unit: "MB",
        };
        let report = Report {
            machine: "a machine".into(),
            parts: Vec::new(),
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
            "| callback | ours | 6.9 | 3.1 |",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
