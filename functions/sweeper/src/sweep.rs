//! Executes the five parts of a run in parallel, logs one line, and returns a summary.
//!
//! The next run repeats a failed part.

use std::time::Duration;

use aws::config;
use aws::deadline::deadline;
use aws::dynamodb::DynamoStore;
use aws::environment::{Environment, LivePayments};
use aws::prewarm;
use aws::secrets::CachedProjectKeys;
use aws::sqs::SqsQueue;
use aws::work_queue::SqsWorkQueue;
use lambda_runtime::{Error, LambdaEvent};
use payments::ports::SystemClock;
use payments::service::sweep::{PollSweep, Sweeper};
use serde::de::IgnoredAny;
use tokio::time::Instant;

use crate::summary::Summary;

/// A run stops this long before the function's time-out.
const RESERVE: Duration = Duration::from_secs(5);

type LiveSweeper<'a> = Sweeper<'a, DynamoStore, SqsQueue, SystemClock, SqsWorkQueue>;

/// Executes the runs of the sweeper.
pub struct Sweep {
    payments: LivePayments,
    keys: CachedProjectKeys,
    queue: SqsWorkQueue,
    grace: Duration,
    polls_per_second: u64,
}

impl Sweep {
    /// Reads the environment variables that the template sets.
    pub fn from_environment() -> Result<Self, Error> {
        let environment = Environment::load()?;
        Ok(Self {
            payments: environment.payments()?,
            keys: environment.project_keys()?,
            queue: environment.work_queue()?,
            grace: config::seconds("OUTBOX_GRACE_SECONDS")?,
            polls_per_second: config::count("POLLS_PER_SECOND")?,
        })
    }

    /// Opens a connection to the table and reads the secret before the first run. Opens no connections to the queues,
    /// because most runs send nothing.
    pub async fn prewarm(&self) {
        let all = async { tokio::join!(self.payments.store.prewarm(), self.keys.prewarm()) };
        prewarm::within_limit(all).await;
    }

    /// Executes one run. The content of the event is ignored.
    pub async fn handle(&self, event: LambdaEvent<IgnoredAny>) -> Result<Summary, Error> {
        let deadline = deadline(&event.context, RESERVE);
        let sweeper = Sweeper {
            payments: &self.payments,
            queue: &self.queue,
            polls_per_second: usize::try_from(self.polls_per_second)?,
        };
        // The parts run in parallel, so that a slow queue of events does not delay the polls.
        let (outbox, polls, mut expired, mut erased, overdue) = tokio::join!(
            sweeper.sweep_outbox(self.grace, deadline),
            self.sweep_polls(&sweeper, deadline),
            sweeper.expire(deadline),
            sweeper.erase(deadline),
            sweeper.count_overdue(deadline),
        );
        expired.add(polls.expired);
        erased.add(polls.erased);
        let summary = Summary {
            outbox,
            polled: polls.polled,
            expired,
            erased,
            overdue,
        };
        summary.line().write();
        Ok(summary)
    }

    async fn sweep_polls(&self, sweeper: &LiveSweeper<'_>, deadline: Instant) -> PollSweep {
        match self.keys.get().await {
            // The keys name the projects. Without a key, a project cannot be polled.
            Ok(keys) => {
                let projects = keys.keys().copied();
                sweeper.hand_out_polls(projects, deadline).await
            }
            Err(error) => PollSweep::of_failure(&error),
        }
    }
}
