//! Compares our functions with baselines: three other implementations of the same functions.

mod figures;
mod goals;
mod measure;
mod plot;
mod report;
#[cfg(test)]
mod tests;
mod world;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap::Args;

pub use self::figures::percentile;
use self::goals::Goal;
use self::measure::{Bench, Functions, Plan, TARGETS, check_same_calls};
use self::report::{Part, Report};
use self::world::{Endpoints, World};
use crate::isolated;
use tools::supervised;

const PREPARE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/baselines/prepare.py");
const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results");

/// The options of a comparison.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// Measures the builds of an earlier run instead of building
    #[arg(long)]
    no_build: bool,
    /// Share of a CPU that a process has after its init, in the first part; the limit needs root. A function with 128
    /// MB has the share 0.0723
    #[arg(long, default_value_t = 0.0723)]
    cpu: f64,
    /// Number of measured processes of each target for each scenario, in the first part, with a CPU limit; 0 skips the
    /// part
    #[arg(long, default_value_t = 8)]
    rounds: usize,
    /// Number of measured warm events of each process, in the first part
    #[arg(long, default_value_t = 25)]
    warm: usize,
    /// Number of measured processes of each target for each scenario, in the second part, without a CPU limit; 0 skips
    /// the part
    #[arg(long, default_value_t = 5)]
    free_rounds: usize,
    /// Number of measured warm events of each process, in the second part
    #[arg(long, default_value_t = 400)]
    free_warm: usize,
    /// Number of events between the first event and the warm events, in the second part. These events are not measured,
    /// because interpreters become faster with time
    #[arg(long, default_value_t = 200)]
    free_warmup: usize,
    /// Folder for the table, the plot and the figures
    #[arg(long, default_value = RESULTS)]
    results: PathBuf,
    /// The output of `baselines/prepare.py`; the program sets this option when it starts itself again
    #[arg(long, hide = true)]
    prepared: Option<PathBuf>,
}

/// Builds and measures the targets, and writes the results. The exit code shows a failure if a measured goal is missed.
pub async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.prepared {
        Some(prepared) => measure(arguments, prepared).await,
        None => prepare(arguments).await,
    }
}

/// Builds the targets, and then starts this program again in the isolated network.
async fn prepare(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    let prepared = folder.path().join("prepared.json");
    let mut command: Vec<OsString> = ["python3", "-I", PREPARE].map(Into::into).into();
    if arguments.no_build {
        command.push("--no-build".into());
    }
    command.push(prepared.clone().into());
    let status = supervised::run(&command).await?;
    if status != 0 {
        return Ok(status.into());
    }
    let mut own: Vec<OsString> = std::env::args_os().skip(1).collect();
    own.extend(["--prepared".into(), prepared.into()]);
    let command = isolated::command(std::env::current_exe()?.into(), &own);
    supervised::run(&command).await.map(ExitCode::from)
}

async fn measure(arguments: &Arguments, prepared: &Path) -> anyhow::Result<ExitCode> {
    let prepared = std::fs::read(prepared).context("prepare.py wrote no output")?;
    let (functions, left_out) = targets(serde_json::from_slice(&prepared)?)?;
    let world = World::start(Endpoints::Deployed)?;
    let machine = machine();
    let mut bench = Bench {
        world: &world,
        functions,
        number: 0,
    };
    let limited = Plan {
        share: Some(arguments.cpu),
        rounds: arguments.rounds,
        warm: arguments.warm,
        warmup: 5,
    };
    let free = Plan {
        share: None,
        rounds: arguments.free_rounds,
        warm: arguments.free_warm,
        warmup: arguments.free_warmup,
    };
    let limited_samples = bench.run(limited).await?;
    let free_samples = bench.run(free).await?;
    check_same_calls(&limited_samples)?;
    check_same_calls(&free_samples)?;
    let mut goals = goals::limited(&limited_samples);
    goals.extend(goals::free(&free_samples));
    goals.extend(
        bench
            .functions
            .get("ours")
            .into_iter()
            .flat_map(goals::sizes),
    );
    let report = Report {
        machine,
        parts: [
            Part::new(limited, &limited_samples),
            Part::new(free, &free_samples),
        ],
        sizes: report::sizes(&bench.functions),
        goals,
        left_out,
    };
    println!("{}", report.markdown());
    write(&report, &arguments.results)?;
    let is_missed = |goal: &Goal| goal.is.is_some() && !goal.is_met();
    Ok(match report.goals.iter().any(is_missed) {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Prepared {
    /// The target's functions.
    Functions(Functions),
    /// Why the target is left out.
    Missing(String),
}

/// Returns the functions of each target, and the reasons why targets are left out.
fn targets(
    mut prepared: BTreeMap<String, Prepared>,
) -> anyhow::Result<(BTreeMap<&'static str, Functions>, Vec<String>)> {
    let (mut targets, mut left_out) = (BTreeMap::new(), Vec::new());
    for target in TARGETS {
        match prepared.remove(target) {
            Some(Prepared::Functions(functions)) => drop(targets.insert(target, functions)),
            Some(Prepared::Missing(why)) => left_out.push(why),
            None => left_out.push(format!("{target} was not prepared")),
        }
    }
    ensure!(targets.contains_key("ours"), "our functions are missing");
    Ok((targets, left_out))
}

fn write(report: &Report, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("table.md"), report.markdown())?;
    let figures = format!("{}\n", serde_json::to_string_pretty(report)?);
    std::fs::write(folder.join("figures.json"), figures)?;
    if report.parts.iter().all(|part| !part.rows.is_empty()) {
        let [limited, free] = &report.parts;
        std::fs::write(folder.join("plot.svg"), plot::svg(limited, free))?;
    }
    eprintln!("The results are in {}", folder.display());
    Ok(())
}

fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let processor = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let processor = processor.map_or("an unknown processor", |(_, name)| name.trim());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let kernel = kernel.split(['-', '+']).next().unwrap_or_default().trim();
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    format!(
        "{processor}, {cores} cores, Linux {kernel}. The load average before the run was {load}"
    )
}
