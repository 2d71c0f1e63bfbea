//! Sustained load: checkouts with their callbacks, on the real functions.
//!
//! The functions run in sandboxes, each fed one event at a time. The table is a real one in memory, with its conditions
//! and transactions; queues, secrets and the platform are stubs in this process. Payments begin at a steady rate, as long
//! as not too many are under way; then they begin as others end. In the end everything is looked at once more: each
//! payment, its events, its messages.

mod check;
mod functions;
mod plan;
mod platform;
mod progress;
mod queues;
mod services;
mod store;
mod storefront;
mod summary;
mod traffic;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws::config::QueueConfig;
use aws::dynamodb::DynamoStore;
use aws::sdk;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub use self::check::Found;
pub use self::progress::{Cpus, Window};
pub use self::services::Calls;
pub use self::summary::Summary;
pub use self::traffic::Waited;

use self::check::Check;
use self::functions::{Pool, program};
use self::plan::Plan;
use self::progress::Moment;
use self::queues::Queues;
use self::services::Services;
use self::store::TABLE;
use self::traffic::Traffic;
use crate::host;

/// What is run, and how much of it.
#[derive(Debug, Clone)]
pub struct Options {
    /// The executable of `POST /checkouts`.
    pub checkout: PathBuf,
    /// The executable of `POST /callbacks`.
    pub callback: PathBuf,
    /// Sandboxes of each function.
    pub sandboxes: u32,
    /// Payments that begin in a second, at most.
    pub rate: f64,
    /// Payments under way at once, at most.
    pub under_way: usize,
    /// Payments that begin at all, at most.
    pub payments: u32,
    /// How long payments begin.
    pub length: Duration,
    /// How often it is told how things go.
    pub told_every: Duration,
    /// A fault for tests: messages with this event are lost, by the payment's number, from 0, and the event's, from 1.
    pub lost_event: Option<(u32, u32)>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Payments made.
    pub payments: u32,
    /// From the first payment's begin to the last one's end.
    pub took: Duration,
    /// What happened in each part of that time.
    pub windows: Vec<Window>,
    /// What was called.
    pub calls: Calls,
    /// What was found in the end.
    pub found: Found,
}

/// Runs the load and looks at everything in the end; tells how it goes.
///
/// # Errors
///
/// When a function fails or gives an answer that it must not, or when anything is wrong in the end.
pub async fn run(options: &Options, mut tell: impl FnMut(&Window)) -> anyhow::Result<Outcome> {
    let queues = Queues::losing(options.lost_event);
    let services = Arc::new(Services::new(queues)?);
    let address = services.serve().await?;
    let store = DynamoStore::new(&configuration(&address), TABLE);
    storefront::add(&store).await?;
    let queues = functions::queues()?;
    let log = tempfile::NamedTempFile::new()?;
    let function = |name, path| program(name, path, &address, &queues, log.path());
    let checkout = function("checkout", &options.checkout);
    let callback = function("callback", &options.callback);
    let traffic = Arc::new(Traffic {
        checkouts: Pool::start(&checkout, options.sandboxes).await?,
        callbacks: Pool::start(&callback, options.sandboxes).await?,
        services: Arc::clone(&services),
        waited: Default::default(),
    });
    let begin = Instant::now();
    let (payments, windows) = all(options, &traffic, begin, &mut tell).await?;
    let took = begin.elapsed();
    host::no_error_in(log.path())?;
    let calls = services.calls();
    let queues: Vec<QueueConfig> = serde_json::from_str(&queues)?;
    let check = Check {
        services: &services,
        store: &store,
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

/// Makes payments until the time is over and the last one has ended.
async fn all(
    options: &Options,
    traffic: &Arc<Traffic>,
    begin: Instant,
    tell: &mut impl FnMut(&Window),
) -> anyhow::Result<(u32, Vec<Window>)> {
    let room = Arc::new(Semaphore::new(options.under_way));
    let mut under_way = JoinSet::new();
    let mut told = Told::new(traffic, begin)?;
    let mut windows = Vec::new();
    let mut ticks =
        tokio::time::interval_at((begin + options.told_every).into(), options.told_every);
    let mut number = 0;
    loop {
        let due = begin + Duration::from_secs_f64(f64::from(number) / options.rate);
        let end = begin + options.length;
        let is_over = number >= options.payments || due.max(Instant::now()) >= end;
        if is_over && under_way.is_empty() {
            break;
        }
        let arrival = async {
            tokio::time::sleep_until(due.into()).await;
            Arc::clone(&room).acquire_owned().await
        };
        tokio::select! {
            Some(ended) = under_way.join_next() => ended??,
            _ = ticks.tick() => windows.push(told.next(traffic, tell)?),
            place = arrival, if !is_over => {
                let place = place?;
                let (traffic, plan) = (Arc::clone(traffic), Plan(number));
                number += 1;
                under_way.spawn(async move {
                    let paid = traffic.pay(plan).await;
                    drop(place);
                    paid
                });
            }
        }
    }
    windows.push(told.next(traffic, tell)?);
    Ok((number, windows))
}

/// Up to when it was told how things go.
struct Told {
    begin: Instant,
    last: Moment,
}

impl Told {
    fn new(traffic: &Traffic, begin: Instant) -> anyhow::Result<Self> {
        let last = Moment::now(traffic)?;
        Ok(Self { begin, last })
    }

    /// Tells what happened since.
    fn next(
        &mut self,
        traffic: &Traffic,
        tell: &mut impl FnMut(&Window),
    ) -> anyhow::Result<Window> {
        let now = Moment::now(traffic)?;
        let window = now.since(&self.last, self.begin, traffic.take_waited());
        tell(&window);
        self.last = now;
        Ok(window)
    }
}

fn configuration(address: &str) -> aws_types::SdkConfig {
    let credentials = aws_credential_types::Credentials::new("x", "x", None, None, "load");
    sdk::config(
        "eu-west-1".to_owned(),
        credentials,
        Some(address.to_owned()),
    )
}
