//! Tests our functions under a load of checkouts and callbacks, and then checks each payment, event and message.
//!
//! Each instance of a function handles one event at a time. The table is dynoxide in memory, with conditions and
//! transactions. Queues, secrets and the platform are stubs in this process.
//!
//! Payments start at a constant rate. While the maximum number of payments runs, the next payment starts when another
//! payment ends.

mod check;
mod plan;
mod platform;
mod pool;
mod progress;
mod queues;
mod services;
mod store;
mod summary;
#[cfg(test)]
mod tests;
mod traffic;
pub mod waits;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use aws::config::QueueConfig;
use aws::dynamodb::DynamoStore;
use aws::sdk;
use clap::Args;
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::check::{Check, Found};
use self::plan::Plan;
use self::pool::Pool;
use self::progress::{Progress, Window};
use self::queues::Queues;
use self::services::{Calls, Services};
use self::traffic::Traffic;
use crate::host::{Program, check_log};
use crate::http_server;
use crate::settings::{TABLE, variables};
use tools::supervised;

/// The test fails if an instance's memory grows by more than this share after the warm-up. In ten minutes, an instance
/// of about 10 MB handles more than ten thousand payments. Therefore a leak of 100 bytes per payment exceeds this
/// share.
const MAX_GROWTH: f64 = 0.05;

/// The options of a load test.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// Folder with the built functions, NAME/bootstrap
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/lambda"))]
    functions: PathBuf,
    /// Instances of each function
    #[arg(long, default_value_t = 4)]
    instances: u32,
    /// Maximum number of payments that start per second
    #[arg(long, default_value_t = 500.0)]
    rate: f64,
    /// Maximum number of payments at the same time
    #[arg(long, default_value_t = 16)]
    concurrent: usize,
    /// Duration in which payments start
    #[arg(long, default_value_t = 0.5)]
    minutes: f64,
}

/// This variable is set in the supervised copy of this program, so that the copy starts no further copy.
const SUPERVISED: &str = "BENCH_SUPERVISED";

/// Runs this program again with the same arguments, as a child of a supervisor. When this program ends, the supervisor
/// ends the copy with all its processes. The supervisor does not start the functions itself, because a function must be
/// a child of the process that measures it.
async fn run_supervised() -> anyhow::Result<ExitCode> {
    let program = std::env::current_exe()?.into_os_string();
    let command: Vec<OsString> = ["env".into(), format!("{SUPERVISED}=1").into(), program]
        .into_iter()
        .chain(std::env::args_os().skip(1))
        .collect();
    supervised::run(&command).await.map(ExitCode::from)
}

fn built(folder: &Path) -> anyhow::Result<PathBuf> {
    let absolute = folder.canonicalize();
    absolute.with_context(|| {
        let folder = folder.display();
        format!("{folder} is missing; `python3 infra/deploy.py build` builds the functions")
    })
}

/// Runs the load test in a supervised copy, and prints the results.
pub async fn command(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if std::env::var_os(SUPERVISED).is_none() {
        return run_supervised().await;
    }
    let folder = built(&arguments.functions)?;
    let load = Load {
        checkout: folder.join("checkout/bootstrap"),
        callback: folder.join("callback/bootstrap"),
        instances: arguments.instances,
        rate: arguments.rate,
        concurrent: arguments.concurrent,
        payments: u32::MAX,
        length: Duration::from_secs_f64(arguments.minutes * 60.0),
        report_every: Duration::from_secs(10),
        lost_event: None,
    };
    let outcome = load.run(|window| println!("{window}")).await?;
    print!("{outcome}");
    match outcome.growth() {
        Some(growth) if growth > MAX_GROWTH => {
            println!("the memory of an instance grew by {:.0} %", growth * 100.0);
            Ok(ExitCode::FAILURE)
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// The services that the functions call, and the functions' log.
struct World {
    services: Arc<Services>,
    address: String,
    log: NamedTempFile,
}

impl World {
    async fn start(queues: Queues) -> anyhow::Result<Self> {
        let services = Arc::new(Services::new(queues)?);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = format!("http://{}", listener.local_addr()?);
        // The server does not use TLS, because TLS would take CPU time from the functions.
        tokio::spawn(http_server::serve(listener, None, Arc::clone(&services)));
        Ok(Self {
            services,
            address,
            log: NamedTempFile::new()?,
        })
    }

    /// Starts instances of a function, with the template's variables for `name`.
    async fn pool(&self, name: &str, path: &Path, instances: u32) -> anyhow::Result<Pool> {
        let mut program = Program::new(name, path);
        program.log = Some(self.log.path().to_owned());
        program.variables = variables(name)?;
        let program = program
            .with("AWS_ENDPOINT_URL", &self.address)
            .with("GATE_URL", &self.address);
        Pool::start(&program, instances).await
    }
}

#[derive(Debug, Clone)]
struct Load {
    /// The executable for `POST /checkouts`.
    checkout: PathBuf,
    /// The executable for `POST /callbacks`.
    callback: PathBuf,
    /// The number of instances of each function.
    instances: u32,
    /// The maximum number of payments that start per second.
    rate: f64,
    /// The maximum number of payments at the same time.
    concurrent: usize,
    /// The maximum number of payments in the whole run.
    payments: u32,
    /// The time in which payments start.
    length: Duration,
    /// The duration of a window of measurements.
    report_every: Duration,
    /// For tests: the payment (counted from 0) and the sequence number of an event that the queues lose.
    lost_event: Option<(u32, u32)>,
}

#[derive(Debug, Clone)]
struct Outcome {
    payments: u32,
    /// The time from the start of the first payment to the end of the last payment.
    took: Duration,
    windows: Vec<Window>,
    calls: Calls,
    found: Found,
}

impl Load {
    /// Runs the load and all checks. Calls `report` after each window.
    async fn run(&self, report: impl FnMut(&Window)) -> anyhow::Result<Outcome> {
        let world = World::start(Queues::losing(self.lost_event)).await?;
        let services = Arc::clone(&world.services);
        let traffic = Arc::new(Traffic {
            checkouts: world
                .pool("checkout", &self.checkout, self.instances)
                .await?,
            callbacks: world
                .pool("callback", &self.callback, self.instances)
                .await?,
            services: Arc::clone(&services),
            waits: Default::default(),
        });
        let begin = Instant::now();
        let (payments, windows) = self.payments(&traffic, begin, report).await?;
        let took = begin.elapsed();
        check_log(world.log.path())?;
        // The calls are counted before the checks, because the checks call the same services.
        let calls = services.calls();
        let credentials = aws_credential_types::Credentials::new("x", "x", None, None, "load");
        let config = sdk::config(
            "eu-west-1".to_owned(),
            credentials,
            Some(world.address.clone()),
        );
        let variables = variables("callback")?;
        let queues = variables
            .get("EVENT_QUEUES")
            .context("the callback function has no EVENT_QUEUES")?;
        let queues: Vec<QueueConfig> = serde_json::from_str(queues)?;
        let check = Check {
            services: &services,
            store: &DynamoStore::new(&config, TABLE),
            queues: &queues,
            payments,
        };
        Ok(Outcome {
            payments,
            took,
            windows,
            calls,
            found: check.all().await?,
        })
    }

    /// Starts payments, and waits for their end. Returns the number of payments and the windows.
    async fn payments(
        &self,
        traffic: &Arc<Traffic>,
        begin: Instant,
        mut report: impl FnMut(&Window),
    ) -> anyhow::Result<(u32, Vec<Window>)> {
        let permits = Arc::new(Semaphore::new(self.concurrent));
        let mut running = JoinSet::new();
        let mut progress = Progress::new(traffic, begin)?;
        let mut windows = Vec::new();
        let first = (begin + self.report_every).into();
        let mut ticks = tokio::time::interval_at(first, self.report_every);
        let end = begin + self.length;
        let mut number = 0;
        loop {
            let due = begin + Duration::from_secs_f64(f64::from(number) / self.rate);
            let is_over = number >= self.payments || due.max(Instant::now()) >= end;
            if is_over && running.is_empty() {
                break;
            }
            let next = async {
                tokio::time::sleep_until(due.into()).await;
                Arc::clone(&permits).acquire_owned().await
            };
            tokio::select! {
                Some(ended) = running.join_next() => ended??,
                _ = ticks.tick() => {
                    let window = progress.window(traffic)?;
                    report(&window);
                    windows.push(window);
                }
                permit = next, if !is_over => {
                    let permit = permit?;
                    let (traffic, plan) = (Arc::clone(traffic), Plan(number));
                    number += 1;
                    running.spawn(async move {
                        let paid = traffic.pay(plan).await;
                        drop(permit);
                        paid
                    });
                }
            }
        }
        let window = progress.window(traffic)?;
        report(&window);
        windows.push(window);
        Ok((number, windows))
    }
}
