//! Runs targets in turn, round by round.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::figures::Figures;
use crate::host::{Program, Sandbox, no_error_in};
use crate::scenario::Scenario;
use crate::world::World;

/// The targets, ours first: what is measured and what it is measured against.
pub const TARGETS: [&str; 4] = ["ours", "rust-defaults", "node", "python"];

/// What `baselines/prepare.py` tells of a target.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prepared {
    /// Its functions.
    Functions(BTreeMap<String, Function>),
    /// Why it is left out.
    Missing(String),
}

/// How a function is started, and how large it is.
#[derive(Debug, Clone, Deserialize)]
pub struct Function {
    program: PathBuf,
    arguments: Vec<String>,
    folder: PathBuf,
    handler: String,
    /// The code, unpacked.
    pub bytes: u64,
    /// Its package.
    pub zip_bytes: u64,
}

impl Function {
    fn program(&self, name: &str, world: &World) -> Program {
        let mut program = Program::new(name, &self.program);
        program.arguments = self.arguments.iter().map(Into::into).collect();
        program.folder.clone_from(&self.folder);
        program.handler.clone_from(&self.handler);
        program.log = Some(world.file("log"));
        world.equip(program)
    }
}

/// A scenario for a target.
pub type Case = (Scenario, &'static str);

/// How is measured.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The share of a CPU that a function has after its init; all of it if there is none.
    pub share: Option<f64>,
    /// Fresh processes of each target.
    pub rounds: usize,
    /// Later events that are measured, in each round.
    pub warm: usize,
    /// Those before them that are not.
    pub warmup: usize,
}

impl Plan {
    /// The pause before each later event. With a share of a CPU it begins each with a period of its own.
    fn pause(&self) -> Duration {
        match self.share {
            Some(_) => Duration::from_millis(20),
            None => Duration::ZERO,
        }
    }
}

/// What one process has needed.
#[derive(Debug, Clone)]
pub struct Sample {
    /// From its start to its first asking for an event.
    pub init_ms: f64,
    /// Its first event.
    pub first_ms: f64,
    /// Its later events.
    pub warm_ms: Vec<f64>,
    /// CPU time of each of them.
    pub cpu_us: f64,
    /// The memory in use after the first event, in MB.
    pub memory_mb: f64,
    /// What was called for the later events, by its name.
    pub calls: BTreeMap<String, u64>,
    /// Connections that it has made.
    pub connections: u64,
}

/// Samples of all cases, round by round.
pub type Samples = BTreeMap<Case, Vec<Sample>>;

/// Measures all cases in turn, so that a slow minute of the machine hits all of them.
#[derive(Debug)]
pub struct Bench<'a> {
    /// What the functions stand on.
    pub world: &'a World,
    /// The functions by targets.
    pub functions: BTreeMap<&'static str, BTreeMap<String, Function>>,
    /// The number of the last event.
    pub number: u64,
}

impl Bench<'_> {
    /// The scenarios that a target has a function for.
    fn cases(&self) -> Vec<Case> {
        let has = |(scenario, target): &Case| {
            let functions = self.functions.get(target);
            functions.is_some_and(|functions| functions.contains_key(scenario.function()))
        };
        let cases = Scenario::ALL
            .into_iter()
            .flat_map(|scenario| TARGETS.map(|target| (scenario, target)));
        cases.filter(has).collect()
    }

    /// Runs a plan. One round more is run first, of which nothing is kept: it finds all files in memory afterwards. Of
    /// no rounds there is nothing.
    ///
    /// # Errors
    ///
    /// When a function fails or answers what it must not.
    pub async fn run(&mut self, plan: Plan) -> anyhow::Result<Samples> {
        let mut samples = Samples::new();
        let rounds = if plan.rounds == 0 {
            0..0
        } else {
            0..plan.rounds + 1
        };
        for round in rounds {
            for case in self.cases() {
                let sample = self.sample(case, plan).await;
                let sample = sample.with_context(|| format!("{}, {}", case.0.name(), case.1))?;
                if round > 0 {
                    samples.entry(case).or_default().push(sample);
                }
            }
            eprintln!("round {round} of {}", plan.rounds);
        }
        Ok(samples)
    }

    async fn sample(&mut self, (scenario, target): Case, plan: Plan) -> anyhow::Result<Sample> {
        let function = self
            .functions
            .get(target)
            .and_then(|all| all.get(scenario.function()));
        let function = function.context("There is no such function")?;
        let program = function.program(scenario.function(), self.world);
        self.world.stubs.clear();
        self.world.stubs.take_counts();
        let mut sandbox = Sandbox::start(&program).await?;
        if let Some(share) = plan.share {
            sandbox.hold_to(share)?;
        }
        let first_ms = self.event(&mut sandbox, scenario).await?;
        let memory_mb = sandbox.usage()?.memory as f64 / 1e6;
        for _ in 0..plan.warmup {
            self.event(&mut sandbox, scenario).await?;
        }
        let earlier = self.world.stubs.take_counts();
        let before = sandbox.usage()?.cpu;
        let mut warm_ms = Vec::with_capacity(plan.warm);
        for _ in 0..plan.warm {
            tokio::time::sleep(plan.pause()).await;
            warm_ms.push(self.event(&mut sandbox, scenario).await?);
        }
        let cpu = sandbox.usage()?.cpu.saturating_sub(before);
        let later = self.world.stubs.take_counts();
        let init_ms = milliseconds(sandbox.init());
        sandbox.stop().await?;
        self.no_error_in_log()?;
        Ok(Sample {
            init_ms,
            first_ms,
            cpu_us: milliseconds(cpu) * 1e3 / warm_ms.len().max(1) as f64,
            warm_ms,
            memory_mb,
            calls: later.calls,
            connections: earlier
                .connections
                .values()
                .chain(later.connections.values())
                .sum(),
        })
    }

    async fn event(&mut self, sandbox: &mut Sandbox, scenario: Scenario) -> anyhow::Result<f64> {
        self.number += 1;
        let event = scenario.stage(self.number, &self.world.stubs)?;
        let invocation = sandbox.invoke(event).await?;
        scenario.check(&invocation.reply)?;
        Ok(milliseconds(invocation.took))
    }

    /// Some failures are none of the caller's business, so the answer does not tell them.
    fn no_error_in_log(&self) -> anyhow::Result<()> {
        let path = self.world.file("log");
        let looked = no_error_in(&path);
        std::fs::remove_file(&path)?;
        looked
    }
}

/// Whether all targets have called the same for the same event.
///
/// # Errors
///
/// When they have not, as they cannot be compared then.
pub fn same_work(samples: &Samples) -> anyhow::Result<()> {
    for ((scenario, target), own) in samples {
        let ours = samples.get(&(*scenario, "ours"));
        let calls = |samples: &Vec<Sample>| Figures::of(samples).map(|figures| figures.calls);
        let (theirs, ours) = (calls(own), ours.and_then(calls));
        ensure!(
            theirs == ours,
            "{}: {target} calls {theirs:?}, ours {ours:?}",
            scenario.name()
        );
    }
    Ok(())
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_that_call_something_else_are_not_compared() {
        let sample = |name: &str| Sample {
            init_ms: 1.0,
            first_ms: 1.0,
            warm_ms: vec![1.0],
            cpu_us: 1.0,
            memory_mb: 1.0,
            calls: [(name.to_owned(), 1)].into(),
            connections: 1,
        };
        let mut samples = Samples::new();
        samples.insert((Scenario::Refund, "ours"), vec![sample("GetItem")]);
        samples.insert((Scenario::Refund, "python"), vec![sample("GetItem")]);
        assert!(same_work(&samples).is_ok());
        samples.insert((Scenario::Refund, "node"), vec![sample("PutItem")]);
        let error = same_work(&samples).unwrap_err().to_string();
        assert!(error.contains("node calls"), "{error}");
    }
}
