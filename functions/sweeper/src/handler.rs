//! Executes a run of the sweeper: runs its five parts in parallel, logs one line, and returns a summary.
//!
//! The next run repeats all work that failed, except polls. A failed poll waits for its next scheduled time.

use std::time::Duration;

use aws::config;
use aws::deadline::deadline;
use aws::environment::{Environment, LivePayments};
use aws::gate_http::HttpGate;
use aws::prewarm;
use aws::secrets::{CachedProjectKeys, CachedTokenSecret};
use lambda_runtime::{Error, LambdaEvent};
use payments::service::status_poll::StatusPoller;
use payments::service::sweep::batch_run::BatchRun;
use serde::de::IgnoredAny;
use tokio::time::Instant;

use crate::summary::Summary;

/// A run stops this long before the function's time-out.
const RESERVE: Duration = Duration::from_secs(5);

/// Executes the runs of the sweeper.
pub struct Sweeper {
    payments: LivePayments,
    gate: HttpGate,
    keys: CachedProjectKeys,
    tokens: CachedTokenSecret,
    base_url: String,
    grace: Duration,
    min_interval: Duration,
}

impl Sweeper {
    /// Reads the environment variables that the template sets.
    pub fn from_environment() -> Result<Self, Error> {
        let environment = Environment::load()?;
        Ok(Self {
            tokens: environment.token_secret()?,
            base_url: config::base_url("PUBLIC_BASE_URL")?,
            payments: environment.payments()?,
            gate: environment.gate()?,
            keys: environment.project_keys()?,
            grace: config::seconds("OUTBOX_GRACE_SECONDS")?,
            min_interval: config::seconds("STATUS_POLL_MIN_INTERVAL")?,
        })
    }

    /// Opens a connection to the table and reads secrets before the first run. Opens no connections to the queues and
    /// to Gate, because the work of the sweeper is not urgent.
    pub async fn prewarm(&self) {
        let all = async {
            tokio::join!(
                self.payments.store.prewarm(),
                self.keys.prewarm(),
                self.tokens.prewarm(),
            )
        };
        prewarm::within_limit(all).await;
    }

    /// Executes one run. The content of the event is ignored.
    pub async fn handle(&self, event: LambdaEvent<IgnoredAny>) -> Result<Summary, Error> {
        let deadline = deadline(&event.context, RESERVE);
        // The parts run in parallel, so that a slow queue does not delay the polls and a slow platform does not delay
        // the events.
        let (outbox, polled, expired, erased, overdue) = tokio::join!(
            self.payments.sweep_outbox(self.grace, deadline),
            self.poll(deadline),
            self.payments.expire_all(deadline),
            self.payments.erase_all(deadline),
            self.payments.count_overdue(deadline),
        );
        let summary = Summary {
            outbox,
            polled,
            expired,
            erased,
            overdue,
        };
        summary.line().write();
        Ok(summary)
    }

    async fn poll(&self, deadline: Instant) -> BatchRun {
        match tokio::try_join!(self.keys.get(), self.tokens.get()) {
            Ok((keys, tokens)) => {
                let poller = StatusPoller {
                    payments: &self.payments,
                    gate: &self.gate.with_keys(&self.keys),
                    keys: &keys,
                    tokens,
                    base_url: &self.base_url,
                    min_interval: self.min_interval,
                };
                poller.poll_all(deadline).await
            }
            Err(error) => BatchRun {
                failed: 1,
                failure: Some(error.to_string()),
                ..BatchRun::EMPTY
            },
        }
    }
}
