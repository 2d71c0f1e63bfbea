//! Does the parts of daily runs. Before a part is done, it is written into a message and read again, as in the work
//! queue.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::future::join_all;
use payments::Payments;
use payments::ports::{Daily, DataApi, Part, Run, Work, WorkMessage};
use payments::service::daily_run::{Counts, DailyRuns, PartError};
use tokio::time::Instant;

use super::behaviour::Behaviour;
use super::clock::TestClock;
use super::queue::MemoryQueue;
use super::records::PlatformRecords;
use super::store::MemoryStore;
use super::system::TestSystem;
use crate::builders::project;

type TestPayments<B> = Payments<MemoryStore<B>, MemoryQueue<B>, TestClock>;

/// Writes a run and a part into a message and reads the message. Also returns the id of the message.
fn received(run: &Run, part: Part) -> (Run, Part, String) {
    let message_id = format!("{part:?}");
    let work = Work::Part {
        run: run.clone(),
        part,
    };
    let message = WorkMessage {
        work,
        delay: Duration::ZERO,
    };
    match serde_json::from_str(&message.body()).unwrap() {
        Work::Part { run, part } => (run, part, message_id),
        other => panic!("{other:?}"),
    }
}

/// Does all parts of a run, one after another. A part that fails is not repeated. Returns the counts of the run, or the
/// first error.
pub async fn do_run<B: Behaviour, D: DataApi + Sync>(
    payments: &TestPayments<B>,
    data_api: Option<&D>,
    run: &Run,
    deadline: Instant,
) -> Result<Counts, PartError> {
    do_side_by_side(payments, data_api, run, deadline, 1).await
}

/// Like [`do_run`], but with several parts at the same time.
pub async fn do_side_by_side<B: Behaviour, D: DataApi + Sync>(
    payments: &TestPayments<B>,
    data_api: Option<&D>,
    run: &Run,
    deadline: Instant,
    at_the_same_time: usize,
) -> Result<Counts, PartError> {
    let runs = &DailyRuns {
        payments,
        data_api,
        pace: Duration::ZERO,
    };
    let mut parts = VecDeque::from(payments.open_parts(run).await?);
    let (mut ended, mut failure) = (None, None);
    while !parts.is_empty() {
        let some = parts.drain(..at_the_same_time.min(parts.len()));
        let works = some.map(|part| async move {
            let (run, part, message_id) = received(run, part);
            runs.work(&run, &part, &message_id, deadline).await
        });
        for worked in join_all(works.collect::<Vec<_>>()).await {
            match worked {
                Ok(worked) => {
                    parts.extend(worked.next);
                    ended = worked.ended.or(ended);
                }
                Err(error) => failure = failure.or(Some(error)),
            }
        }
    }
    match failure {
        Some(error) => Err(error),
        // The last part ends the run, so `ended` is set.
        None => Ok(ended.unwrap()),
    }
}

/// Does each due run of a task. Returns the runs with their counts, or the first error.
pub async fn do_due<B: Behaviour, D: DataApi + Sync>(
    payments: &TestPayments<B>,
    data_api: Option<&D>,
    daily: Daily,
) -> Result<Vec<(Run, Counts)>, PartError> {
    let deadline = Instant::now() + Duration::from_secs(3_600);
    let mut done = Vec::new();
    let mut due = payments.due_run(project(), daily).await?;
    while let Some(run) = due {
        let counts = do_run(payments, data_api, &run, deadline).await?;
        due = payments.next_run(&run).await?;
        payments.close(&run).await?;
        done.push((run, counts));
    }
    Ok(done)
}

impl<B: Behaviour + Clone, P> TestSystem<B, P> {
    /// Makes each daily report that is due. Returns the runs with their counts.
    pub async fn report_due(&self) -> Result<Vec<(Run, Counts)>, PartError> {
        do_due(&self.payments, None::<&PlatformRecords>, Daily::Report).await
    }
}
