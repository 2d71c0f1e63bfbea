//! `cargo run --release -p bench`: see README.md.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, ensure};
use bench::goals::{Goal, free, sizes, throttled};
use bench::measure::{Bench, Plan, Prepared, TARGETS, same_work};
use bench::report::{self, Part, Report};
use bench::world::{Way, World};
use bench::{isolated, plot, stubs};
use clap::Parser;
use tools::supervised;

const PREPARE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/baselines/prepare.py");
const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results");

/// Measures the functions, and what they are measured against
#[derive(Debug, Clone, Parser)]
struct Arguments {
    /// Measure what was built before
    #[arg(long)]
    no_build: bool,
    /// The share of a CPU that a function has after its init; 128 MB have 0.0723. Needs root
    #[arg(long, default_value_t = 0.0723)]
    cpu: f64,
    /// Fresh processes of each target with that share; 0 leaves this part out
    #[arg(long, default_value_t = 8)]
    rounds: usize,
    /// Measured events of each of them after the first
    #[arg(long, default_value_t = 25)]
    warm: usize,
    /// Fresh processes of each target with as many CPUs as they can use; 0 leaves this part out
    #[arg(long, default_value_t = 5)]
    free_rounds: usize,
    /// Measured events of each of them after the first
    #[arg(long, default_value_t = 400)]
    free_warm: usize,
    /// Events before them that are not measured: interpreters become faster with time
    #[arg(long, default_value_t = 200)]
    free_warmup: usize,
    /// How long each answer of AWS and of the platform takes, in microseconds
    #[arg(long, default_value_t = 0)]
    delay_us: u64,
    /// The platform's Gate without TLS
    #[arg(long)]
    plain_gate: bool,
    /// Where the table, the plot and the figures go
    #[arg(long, default_value = RESULTS)]
    results: PathBuf,
    /// What `baselines/prepare.py` has written; set by this program for itself
    #[arg(long, hide = true)]
    prepared: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    match &arguments.prepared {
        Some(prepared) => measure(&arguments, prepared).await,
        None => prepare(&arguments).await.map(ExitCode::from),
    }
}

/// Builds everything, and then runs this program once more, in a network of its own.
async fn prepare(arguments: &Arguments) -> anyhow::Result<u8> {
    let folder = tempfile::tempdir()?;
    let answer = folder.path().join("prepared.json");
    let mut command: Vec<OsString> = ["python3", "-I", PREPARE].map(Into::into).into();
    if arguments.no_build {
        command.push("--no-build".into());
    }
    command.push(answer.clone().into());
    let status = supervised::run(&command).await?;
    if status != 0 {
        return Ok(status);
    }
    let mut own: Vec<OsString> = std::env::args_os().skip(1).collect();
    own.extend(["--prepared".into(), answer.into()]);
    supervised::run(&isolated::command(std::env::current_exe()?.into(), &own)).await
}

async fn measure(arguments: &Arguments, prepared: &Path) -> anyhow::Result<ExitCode> {
    let options = stubs::Options {
        gate_tls: !arguments.plain_gate,
        delay: Duration::from_micros(arguments.delay_us),
        ..stubs::Options::default()
    };
    let world = World::start(Way::Hosts, options)?;
    let mut bench = Bench {
        world: &world,
        functions: Default::default(),
        number: 0,
    };
    let left_out = choose(&mut bench, prepared)?;
    let machine = machine();
    let plans = [
        Plan {
            share: Some(arguments.cpu),
            rounds: arguments.rounds,
            warm: arguments.warm,
            warmup: 5,
        },
        Plan {
            share: None,
            rounds: arguments.free_rounds,
            warm: arguments.free_warm,
            warmup: arguments.free_warmup,
        },
    ];
    let held = bench.run(plans[0]).await?;
    let unheld = bench.run(plans[1]).await?;
    same_work(&held)?;
    same_work(&unheld)?;
    let mut goals = throttled(&held);
    goals.extend(free(&unheld));
    goals.extend(bench.functions.get("ours").into_iter().flat_map(sizes));
    let report = Report {
        machine,
        parts: vec![Part::new(plans[0], &held), Part::new(plans[1], &unheld)],
        sizes: report::sizes(&bench.functions),
        goals,
        left_out,
    };
    println!("{}", report.markdown());
    keep(&report, &arguments.results)?;
    let is_missed = |goal: &Goal| goal.is.is_some() && !goal.is_met();
    Ok(match report.goals.iter().any(is_missed) {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

/// Takes over what was prepared; gives what was not, and why.
fn choose(bench: &mut Bench<'_>, prepared: &Path) -> anyhow::Result<Vec<String>> {
    let prepared = std::fs::read(prepared).context("Nothing was prepared")?;
    let mut prepared: std::collections::BTreeMap<String, Prepared> =
        serde_json::from_slice(&prepared)?;
    let mut left_out = Vec::new();
    for target in TARGETS {
        match prepared.remove(target) {
            Some(Prepared::Functions(functions)) => drop(bench.functions.insert(target, functions)),
            Some(Prepared::Missing(why)) => left_out.push(why),
            None => left_out.push(format!("{target} was not prepared")),
        }
    }
    ensure!(
        bench.functions.contains_key("ours"),
        "There is nothing to measure"
    );
    Ok(left_out)
}

fn keep(report: &Report, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("table.md"), report.markdown())?;
    std::fs::write(
        folder.join("figures.json"),
        format!("{}\n", serde_json::to_string_pretty(report)?),
    )?;
    if let [throttled, free] = report.parts.as_slice()
        && ![throttled, free].iter().any(|part| part.rows.is_empty())
    {
        plot::draw(throttled, free, &folder.join("plot.svg"))?;
    }
    eprintln!("Kept in {}", folder.display());
    Ok(())
}

/// The processor, the number of its cores, the kernel, and how much else was to be done.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let cpu = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let cpu = cpu
        .map_or("an unknown processor", |(_, name)| name.trim())
        .to_owned();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let kernel = kernel
        .split(['-', '+'])
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    format!("{cpu}, {cores} cores, Linux {kernel}; load before: {load}")
}
