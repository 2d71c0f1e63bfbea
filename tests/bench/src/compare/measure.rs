//! Measures all targets. In each round, each scenario of each target runs in a new process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Deserialize;

use super::figures::Figures;
use super::world::World;
use crate::host::{Instance, Program, check_log};
use crate::scenario::Scenario;

/// The compared targets. The first target has our functions.
pub const TARGETS: [&str; 4] = ["ours", "rust-defaults", "node", "python"];

pub type Functions = BTreeMap<String, Function>;

#[derive(Debug, Clone, Deserialize)]
pub struct Function {
    program: PathBuf,
    arguments: Vec<String>,
    folder: PathBuf,
    handler: String,
    /// The size of the unpacked code.
    pub bytes: u64,
    /// The size of the deployment package.
    pub zip_bytes: u64,
}

impl Function {
    fn program(&self, name: &str) -> Program {
        Program {
            arguments: self.arguments.iter().map(Into::into).collect(),
            folder: self.folder.clone(),
            handler: self.handler.clone(),
            ..Program::new(name, &self.program)
        }
    }
}

pub type Case = (Scenario, &'static str);

/// The extent of one part of the comparison.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The share of a CPU after init. `None` sets no limit.
    pub share: Option<f64>,
    /// The number of measured processes of each target for each scenario.
    pub rounds: usize,
    /// The number of warm events of each process. A warm event is a measured event after the first event.
    pub warm: usize,
    /// The number of events between the first event and the warm events. These events are not measured.
    pub warmup: usize,
}

impl Plan {
    /// Returns the pause before each warm event. With a CPU limit, the pause lasts one period of the limit, so that
    /// each event starts with a full quota.
    fn pause(&self) -> Duration {
        match self.share {
            Some(_) => Duration::from_millis(20),
            None => Duration::ZERO,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Sample {
    /// The time from the start of the process to its first request for an event.
    pub init_ms: f64,
    pub first_ms: f64,
    pub warm_ms: Vec<f64>,
    /// The mean CPU time of the warm events.
    pub cpu_us: f64,
    /// The resident memory after the first event, in MB.
    pub memory_mb: f64,
    /// The calls of all warm events, by operation.
    pub calls: BTreeMap<String, u64>,
    pub connections: u64,
}

/// One sample per round.
pub type Samples = BTreeMap<Case, Vec<Sample>>;

#[derive(Debug)]
pub struct Bench<'a> {
    pub world: &'a World,
    /// The functions of each target.
    pub functions: BTreeMap<&'static str, Functions>,
    /// The number of the last event.
    pub number: u64,
}

impl Bench<'_> {
    /// Returns the scenarios and targets for which there is a function.
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

    /// Measures all cases. Each round measures each case once, so that a slow minute of the machine affects all
    /// targets. The first round is not measured: it only loads all files into the page cache.
    pub async fn run(&mut self, plan: Plan) -> anyhow::Result<Samples> {
        let mut samples = Samples::new();
        if plan.rounds == 0 {
            return Ok(samples);
        }
        for round in 0..=plan.rounds {
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
        let name = scenario.function();
        let functions = self.functions.get(target);
        let function = functions.and_then(|functions| functions.get(name));
        let function = function.with_context(|| format!("{target} has no function {name}"))?;
        let program = self.world.equip(function.program(name))?;
        self.world.stubs.clear();
        self.world.stubs.take_counts();
        let mut instance = Instance::start(&program).await?;
        if let Some(share) = plan.share {
            instance.limit_cpu(share)?;
        }
        let first_ms = self.event(&mut instance, scenario).await?;
        let memory_mb = instance.usage()?.memory as f64 / 1e6;
        for _ in 0..plan.warmup {
            self.event(&mut instance, scenario).await?;
        }
        let earlier = self.world.stubs.take_counts();
        let before = instance.usage()?.cpu;
        let mut warm_ms = Vec::with_capacity(plan.warm);
        for _ in 0..plan.warm {
            tokio::time::sleep(plan.pause()).await;
            warm_ms.push(self.event(&mut instance, scenario).await?);
        }
        let cpu = instance.usage()?.cpu.saturating_sub(before);
        let later = self.world.stubs.take_counts();
        let init_ms = milliseconds(instance.init());
        instance.stop().await?;
        self.check_log()?;
        let connections = earlier
            .connections
            .values()
            .chain(later.connections.values());
        Ok(Sample {
            init_ms,
            first_ms,
            cpu_us: milliseconds(cpu) * 1e3 / warm_ms.len().max(1) as f64,
            warm_ms,
            memory_mb,
            calls: later.calls,
            connections: connections.sum(),
        })
    }

    /// Sends an event, and returns its duration in ms.
    async fn event(&mut self, instance: &mut Instance, scenario: Scenario) -> anyhow::Result<f64> {
        self.number += 1;
        let event = scenario.stage(self.number, &self.world.stubs)?;
        let invocation = instance.invoke(event).await?;
        scenario.check(&invocation.reply)?;
        Ok(milliseconds(invocation.took))
    }

    /// Fails if the log has an error, because an answer can hide an error. Removes the log.
    fn check_log(&self) -> anyhow::Result<()> {
        let path = self.world.file("log");
        let checked = check_log(&path);
        std::fs::remove_file(&path)?;
        checked
    }
}

/// Fails if a target makes other calls than our function, because only targets with the same calls can be compared.
pub fn check_same_calls(samples: &Samples) -> anyhow::Result<()> {
    for ((scenario, target), own) in samples {
        let ours = samples.get(&(*scenario, "ours"));
        let calls = |samples: &Vec<Sample>| Figures::of(samples).map(|figures| figures.calls);
        let (theirs, ours) = (calls(own), ours.and_then(calls));
        ensure!(
            theirs == ours,
            "{}: {target} calls {theirs:?}, our function calls {ours:?}",
            scenario.name()
        );
    }
    Ok(())
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
impl Sample {
    /// Returns a sample. All durations are 1 ms, except the duration of the first event. The CPU time of a warm event
    /// is `first_ms` microseconds.
    pub fn with_first_ms(first_ms: f64) -> Self {
        Self {
            init_ms: 1.0,
            first_ms,
            warm_ms: vec![1.0],
            cpu_us: first_ms,
            memory_mb: 10.0,
            calls: BTreeMap::new(),
            connections: 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comparison_fails_when_targets_make_different_calls() {
        let sample = |name: &str| Sample {
            calls: [(name.to_owned(), 1)].into(),
            ..Sample::with_first_ms(1.0)
        };
        let mut samples = Samples::new();
        samples.insert((Scenario::Refund, "ours"), vec![sample("GetItem")]);
        samples.insert((Scenario::Refund, "python"), vec![sample("GetItem")]);
        assert!(check_same_calls(&samples).is_ok());
        samples.insert((Scenario::Refund, "node"), vec![sample("PutItem")]);
        let error = check_same_calls(&samples).unwrap_err().to_string();
        assert!(error.contains("node calls"), "{error}");
    }
}
