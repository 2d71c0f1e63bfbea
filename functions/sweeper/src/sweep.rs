//! Executes the five parts of a run in parallel, logs one line, and returns a summary. The next run repeats the failed
//! parts.

use std::collections::BTreeSet;
use std::time::Duration;

use aws::config;
use aws::deadline::deadline;
use aws::dynamodb::DynamoStore;
use aws::environment::{Environment, LivePayments};
use aws::prewarm;
use aws::secrets::CachedProjectKeys;
use aws::sqs::SqsQueue;
use aws::work_queue::SqsWorkQueue;
use ecommpay::fields::ProjectId;
use lambda_runtime::{Error, LambdaEvent};
use payments::ports::{StoreError, SystemClock};
use payments::service::sweep::{PollSweep, Sweeper};
use serde::de::IgnoredAny;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::summary::Summary;

/// A run stops this long before the function's time-out.
const RESERVE: Duration = Duration::from_secs(5);

type LiveSweeper<'a> = Sweeper<'a, DynamoStore, SqsQueue, SystemClock, SqsWorkQueue>;

pub struct Sweep {
    payments: LivePayments,
    keys: CachedProjectKeys,
    /// The projects in the table's list; `None` until the list is read.
    listed: Mutex<Option<BTreeSet<ProjectId>>>,
    queue: SqsWorkQueue,
    grace: Duration,
    polls_per_second: u64,
}

impl Sweep {
    pub fn from_environment() -> Result<Self, Error> {
        let environment = Environment::load()?;
        Ok(Self {
            payments: environment.payments()?,
            keys: environment.project_keys()?,
            listed: Mutex::default(),
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
        // Without a key, a project cannot be polled.
        let with_key: BTreeSet<ProjectId> = match self.keys.get().await {
            Ok(keys) => keys.keys().copied().collect(),
            Err(error) => return PollSweep::of_failure(&error),
        };
        let without_key = async {
            match self.list_projects(&with_key).await {
                Ok(listed) => {
                    let projects = listed.difference(&with_key).copied();
                    sweeper.sweep_without_keys(projects, deadline).await
                }
                Err(error) => PollSweep::of_failure(&error),
            }
        };
        let handed_out = sweeper.hand_out_polls(with_key.iter().copied(), deadline);
        let (mut sweep, without_key) = tokio::join!(handed_out, without_key);
        sweep.add(without_key);
        sweep
    }

    /// Adds the projects with a key to the list in the table, and returns the list. An instance of the function reads
    /// the list only once, because only the sweeper writes it.
    async fn list_projects(
        &self,
        with_key: &BTreeSet<ProjectId>,
    ) -> Result<BTreeSet<ProjectId>, StoreError> {
        let store = &self.payments.store;
        let mut listed = self.listed.lock().await;
        let mut known = match listed.take() {
            Some(known) => known,
            None => store.projects().await?,
        };
        let missing: Vec<ProjectId> = with_key.difference(&known).copied().collect();
        for project_id in missing {
            store.add_project(project_id).await?;
            known.insert(project_id);
        }
        Ok(listed.insert(known).clone())
    }
}

#[cfg(test)]
mod tests {
    use payments::Payments;
    use payments::model::schedule::Schedule;
    use wire::{TABLE, Wire};

    use super::*;

    fn sweep(wire: &Wire) -> Sweep {
        Sweep {
            payments: Payments {
                store: DynamoStore::new(wire.config(), TABLE),
                queues: Vec::new(),
                clock: SystemClock,
                schedule: Schedule::default(),
            },
            keys: CachedProjectKeys::new(wire.config(), "keys"),
            listed: Mutex::default(),
            queue: SqsWorkQueue::new(wire.config(), "https://queues.example/work"),
            grace: Duration::ZERO,
            polls_per_second: 20,
        }
    }

    #[tokio::test]
    async fn a_project_stays_in_the_list_when_its_key_is_missing_and_an_instance_reads_the_list_once()
     {
        let wire = Wire::start().await.unwrap();
        let [one, two, three] = [211, 212, 4_294_967_295].map(|id| ProjectId::new(id).unwrap());
        let first = sweep(&wire);
        for _ in 0..2 {
            let listed = first.list_projects(&[one, three].into()).await.unwrap();
            assert_eq!(listed, [one, three].into());
        }
        assert_eq!(wire.calls(), ["Query", "UpdateItem", "UpdateItem"]);
        let later = sweep(&wire);
        wire.forget();
        for _ in 0..2 {
            let listed = later.list_projects(&[one, two].into()).await.unwrap();
            assert_eq!(listed, [one, two, three].into());
        }
        assert_eq!(wire.calls(), ["Query", "UpdateItem"]);
    }
}
