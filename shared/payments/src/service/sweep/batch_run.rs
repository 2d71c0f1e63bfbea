//! Runs a batch: one task for each due payment of an index, with limits on concurrency, count and time.

use std::future::Future;
use std::pin::pin;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde::Serialize;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::events::EventKind;
use crate::model::ids::PaymentKey;
use crate::model::timestamp::Timestamp;
use crate::ports::{Clock, Due, Index, PaymentStore, SHARDS, StoreError};
use crate::service::commit::Payments;
use crate::service::error::BatchError;

/// The result of a batch run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BatchRun {
    /// The count of due payments that were found.
    pub found: u64,
    /// The count of payments whose task succeeded.
    pub done: u64,
    /// The count of due payments that cannot be read. The run passes over these payments, and does not count them as
    /// failed. `oldest_s` ignores them too, because otherwise they would hide another payment that waits too long.
    pub unreadable: u64,
    /// The count of payments whose task failed, plus the count of shards that could not be read.
    pub failed: u64,
    /// Whether the run processed every due payment completely. `false` if the run stopped at its deadline or at its
    /// maximum number of payments. Also `false` if a payment has more events than the run may publish.
    pub in_time: bool,
    /// The longest time, in seconds, for which a payment had been due when the run started; 0 if no payment was due.
    pub oldest_s: u64,
    /// The first failure; `None` if nothing failed.
    pub failure: Option<String>,
    /// The kinds of the events that were published.
    #[serde(skip)]
    pub events: Vec<EventKind>,
}

/// Why a task did not succeed.
#[derive(Debug)]
pub(crate) enum Unfinished {
    /// It was too late to start or to finish the task. The next run continues.
    Late,
    /// The task failed.
    Failed(String),
    /// The payment or one of its events cannot be read.
    Unreadable,
}

impl<E: BatchError> From<E> for Unfinished {
    fn from(error: E) -> Self {
        match error.is_unreadable() {
            true => Unfinished::Unreadable,
            false => Unfinished::Failed(error.to_string()),
        }
    }
}

/// The limits of a batch run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchLimits {
    /// The maximum number of tasks that run in parallel.
    pub concurrency: usize,
    /// The maximum number of payments that the run processes.
    pub max_payments: usize,
    /// No task starts after this time.
    pub start_until: Instant,
    /// A task that is not done by this time is dropped.
    pub deadline: Instant,
}

impl BatchLimits {
    /// Returns limits without a maximum number of payments.
    pub(crate) fn until(deadline: Instant, concurrency: usize) -> Self {
        Self {
            concurrency,
            max_payments: usize::MAX,
            start_until: deadline,
            deadline,
        }
    }
}

impl BatchRun {
    /// The result if nothing was due.
    pub const EMPTY: BatchRun = BatchRun {
        found: 0,
        done: 0,
        unreadable: 0,
        failed: 0,
        in_time: true,
        oldest_s: 0,
        failure: None,
        events: Vec::new(),
    };

    fn count(&mut self, task: Task, now: Timestamp) {
        if let Some(since) = task.since {
            self.found += 1;
            if !matches!(task.end, End::Unreadable) {
                self.oldest_s = self.oldest_s.max(now.since(since).as_secs());
            }
        }
        match task.end {
            End::Done(events) => {
                self.done += 1;
                self.events.extend(events);
            }
            End::Failed(problem) => {
                self.failed += 1;
                self.failure.get_or_insert(problem);
            }
            End::Unreadable => self.unreadable += 1,
            End::Late => self.in_time = false,
        }
    }
}

/// Adds up several runs.
impl FromIterator<BatchRun> for BatchRun {
    fn from_iter<I: IntoIterator<Item = BatchRun>>(runs: I) -> Self {
        let mut all = BatchRun::EMPTY;
        for run in runs {
            all.found += run.found;
            all.done += run.done;
            all.unreadable += run.unreadable;
            all.failed += run.failed;
            all.in_time &= run.in_time;
            all.oldest_s = all.oldest_s.max(run.oldest_s);
            all.failure = all.failure.or(run.failure);
            all.events.extend(run.events);
        }
        all
    }
}

impl<S: PaymentStore + Sync, Q: Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Runs a task for each payment of an index that is due at or before `due_by`. A task returns the kinds of the
    /// events that the task published.
    pub(crate) async fn run_batch<F, T>(
        &self,
        index: Index,
        due_by: Timestamp,
        limits: BatchLimits,
        task: F,
    ) -> BatchRun
    where
        F: Fn(PaymentKey) -> T,
        T: Future<Output = Result<Vec<EventKind>, Unfinished>>,
    {
        let now = self.clock.now();
        // The shards are read in parallel, because a shard full of failures must not delay the other shards.
        let shards = (0..SHARDS).map(|shard| self.due_of(index, shard, due_by));
        let task = &task;
        let tasks = stream::select_all(shards)
            .take(limits.max_payments)
            .take_until(sleep_until(limits.start_until))
            .map(|found| async move {
                match found {
                    Ok(due) => Task {
                        since: Some(due.since),
                        end: run(task, due.key, limits.deadline).await,
                    },
                    Err(error) => Task {
                        since: None,
                        end: End::Failed(error.to_string()),
                    },
                }
            })
            .buffer_unordered(limits.concurrency);
        let mut tasks = pin!(tasks);
        let mut result = BatchRun::EMPTY;
        let mut count = 0;
        while let Some(task) = tasks.next().await {
            count += 1;
            result.count(task, now);
        }
        result.in_time &= Instant::now() < limits.start_until && count < limits.max_payments;
        result
    }

    /// Returns the due payments of a shard, page by page. A failure ends the stream.
    fn due_of(
        &self,
        index: Index,
        shard: u8,
        due_by: Timestamp,
    ) -> BoxStream<'_, Result<Due, StoreError>> {
        let pages = stream::try_unfold(None, move |last: Option<Due>| async move {
            let page = self.store.due(index, shard, due_by, last.as_ref()).await?;
            Ok(page.last().cloned().map(|last| (page, Some(last))))
        });
        pages
            .map(|page| match page {
                Ok(page) => page.into_iter().map(Ok).collect::<Vec<_>>(),
                Err(error) => vec![Err(error)],
            })
            .flat_map(stream::iter)
            .boxed()
    }
}

async fn run<F, T>(task: &F, key: PaymentKey, deadline: Instant) -> End
where
    F: Fn(PaymentKey) -> T,
    T: Future<Output = Result<Vec<EventKind>, Unfinished>>,
{
    let name = key.to_string();
    match timeout_at(deadline, task(key)).await {
        Ok(Ok(events)) => End::Done(events),
        Ok(Err(Unfinished::Failed(problem))) => End::Failed(format!("{name}: {problem}")),
        Ok(Err(Unfinished::Unreadable)) => End::Unreadable,
        Ok(Err(Unfinished::Late)) | Err(_) => End::Late,
    }
}

struct Task {
    /// The time from which the payment was due; `None` for a shard that could not be read.
    since: Option<Timestamp>,
    end: End,
}

enum End {
    Done(Vec<EventKind>),
    Failed(String),
    Unreadable,
    Late,
}
