//! Runs one task for each due payment of a list, with limits on concurrency and time.

use std::fmt::Display;
use std::future::Future;
use std::pin::pin;

use futures_util::StreamExt;
use futures_util::stream;
use serde::Serialize;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::events::EventKind;
use crate::model::ids::PaymentKey;
use crate::model::timestamp::Timestamp;
use crate::ports::{Clock, Due};
use crate::service::commit::Payments;
use crate::service::error::BatchError;

/// The result of a batch run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BatchRun {
    /// The number of due payments that were found.
    pub found: u64,
    /// The number of payments whose task succeeded or was no longer due.
    pub done: u64,
    /// The number of payments that cannot be read. The run skips these payments and does not count them as failed.
    /// `oldest_s` leaves them out, because an unreadable payment would hide another payment that waits too long.
    pub unreadable: u64,
    /// The number of payments that were handed out to the worker.
    pub handed_out: u64,
    /// The number of failed tasks, unreadable shards, and failures of the work queue.
    pub failed: u64,
    /// Whether the run finished or handed out every due payment. `false` after a deadline or a limit, such as the
    /// limit of published events.
    pub in_time: bool,
    /// The longest time, in seconds, for which a payment had been due at the start of the run; 0 without a due
    /// payment.
    pub oldest_s: u64,
    /// The first failure, if any.
    pub failure: Option<String>,
    /// The kinds of the events that were published.
    #[serde(skip)]
    pub events: Vec<EventKind>,
}

/// Why a task did not finish.
#[derive(Debug)]
pub(crate) enum Unfinished {
    /// There was not enough time. The next run continues the task.
    Late,
    /// The task is no longer due, for example because it was handed out twice.
    NotDue,
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

impl BatchRun {
    /// The result if nothing was due.
    pub const EMPTY: BatchRun = BatchRun {
        found: 0,
        done: 0,
        unreadable: 0,
        handed_out: 0,
        failed: 0,
        in_time: true,
        oldest_s: 0,
        failure: None,
        events: Vec::new(),
    };

    /// Returns the result of a run that could not start.
    pub fn of_failure(error: &impl Display) -> Self {
        let mut run = BatchRun::EMPTY;
        run.fail(error.to_string());
        run
    }

    pub(super) fn fail(&mut self, problem: String) {
        self.failed += 1;
        self.failure.get_or_insert(problem);
    }

    /// Adds the result of another part of the run.
    pub fn add(&mut self, run: BatchRun) {
        self.found += run.found;
        self.done += run.done;
        self.unreadable += run.unreadable;
        self.handed_out += run.handed_out;
        self.failed += run.failed;
        self.in_time &= run.in_time;
        self.oldest_s = self.oldest_s.max(run.oldest_s);
        self.failure = self.failure.take().or(run.failure);
        self.events.extend(run.events);
    }

    fn count(&mut self, since: Timestamp, end: End, now: Timestamp) {
        self.found += 1;
        if !matches!(end, End::Unreadable | End::NotDue) {
            self.oldest_s = self.oldest_s.max(now.since(since).as_secs());
        }
        match end {
            End::Done(events) => {
                self.done += 1;
                self.events.extend(events);
            }
            End::NotDue => self.done += 1,
            End::Failed(problem) => self.fail(problem),
            End::Unreadable => self.unreadable += 1,
            End::Late => self.in_time = false,
        }
    }
}

impl<S: Sync, Q: Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Runs a task for each due payment. The task returns the kinds of the events that it published. No task starts
    /// after the deadline, and an unfinished task is dropped at the deadline.
    pub(super) async fn run_batch<F, T>(
        &self,
        due: Vec<Due>,
        concurrency: usize,
        deadline: Instant,
        task: F,
    ) -> BatchRun
    where
        F: Fn(PaymentKey) -> T,
        T: Future<Output = Result<Vec<EventKind>, Unfinished>>,
    {
        let now = self.clock.now();
        let total = due.len() as u64;
        let task = &task;
        let tasks = stream::iter(due)
            .take_until(sleep_until(deadline))
            .map(|due| async move { (due.since, run(task, due.key, deadline).await) })
            .buffer_unordered(concurrency);
        let mut tasks = pin!(tasks);
        let mut result = BatchRun::EMPTY;
        while let Some((since, end)) = tasks.next().await {
            result.count(since, end, now);
        }
        result.in_time &= result.found == total;
        result
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
        Ok(Err(Unfinished::NotDue)) => End::NotDue,
        Ok(Err(Unfinished::Late)) | Err(_) => End::Late,
    }
}

enum End {
    Done(Vec<EventKind>),
    NotDue,
    Failed(String),
    Unreadable,
    Late,
}
