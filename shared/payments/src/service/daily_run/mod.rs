//! Executes the runs of the daily tasks: the reconciliation and the report.
//!
//! A run covers at most one day of one project. A run consists of parts ([`Part`]), which are done in parallel. Each
//! part is a message of a queue. The schedule, or the end of the previous run, starts a run by sending its first parts.
//! Each part stores its result under a key of its own. If a part does not fit into one execution, its result names
//! smaller parts, which replace the rest of the part. So the parts form a tree. When each part of the tree has a
//! result, one message ends the run: it stores the progress of the task, reports the run, and starts the next run.
//!
//! A message that is delivered twice changes nothing: the first result of a part stays, and every difference is emitted
//! once. Several messages can find at the same time that a run must continue or end. The first of these messages claims
//! this step, and the other messages do nothing. If the first message fails after the claim, the queue delivers the
//! first message again, and the message repeats the step.
//!
//! A part that fails goes back to the queue. If the part fails each time, the run never ends, and the progress does not
//! change. A scheduled start on the same day continues the run. A scheduled start on a later day starts a new run of
//! the same interval.

mod plan;
mod result;
mod schedule;

use std::time::Duration;

use thiserror::Error;
use tokio::time::Instant;

use self::plan::RunContents;
pub use self::result::{Counts, PartResult};
pub use self::schedule::RunState;
use crate::json_text::to_json_string;
use crate::log::Line;
use crate::ports::{
    Clock, DataApi, EventQueue, NoAnswer, Part, PaymentStore, ProgressStore, Run, RunStore,
    StoreError,
};
use crate::service::commit::Payments;
use crate::service::error::{ApplyError, PublishError};
use crate::service::reconcile::Span;

/// If the list of an interval still fails this long after the end of the interval, a scheduled run skips the list.
/// Otherwise this list would delay all newer intervals.
const GIVE_UP_AFTER: Duration = Duration::from_secs(3 * 24 * 3_600);

/// Does the parts of runs.
#[derive(Debug)]
pub struct DailyRuns<'a, S, Q, C, D> {
    /// The use cases of payments.
    pub payments: &'a Payments<S, Q, C>,
    /// The platform's Data API. `None` if no token is stored. Only the reconciliation needs it.
    pub data_api: Option<&'a D>,
    /// The minimum time between two requests to the Data API.
    pub pace: Duration,
}

/// What remains after a part.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Worked {
    /// The parts that must be done now.
    pub next: Vec<Part>,
    /// The result of the run, if the message must report the run and start the next run.
    pub ended: Option<Counts>,
}

/// Why a part could not be done. The part can be repeated.
#[derive(Debug, Error)]
pub enum PartError {
    /// The platform did not answer.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A difference was not committed.
    #[error(transparent)]
    NotCommitted(#[from] ApplyError),
    /// An order that was paid twice was not published.
    #[error(transparent)]
    NotPublished(#[from] PublishError),
    /// The platform lists the same operations on each page.
    #[error("the platform lists the same operations on each page")]
    RepeatedPage,
    /// The part has too many operations for one execution, and cannot be split.
    #[error("a minute has more operations than one execution can compare")]
    TooMany,
    /// There is no token of the Data API.
    #[error("no token of the Data API is stored")]
    NoToken,
}

impl<S, Q, C, D> DailyRuns<'_, S, Q, C, D>
where
    S: PaymentStore + ProgressStore + RunStore + Sync,
    Q: EventQueue + Sync,
    C: Clock + Sync,
    D: DataApi + Sync,
{
    /// Does the part of a message, unless the part has a result already. If this part was the last part of a scheduled
    /// run, stores the progress. A message that is delivered again has the same `message_id`, which no other message
    /// has.
    pub async fn work(
        &self,
        run: &Run,
        part: &Part,
        message_id: &str,
        deadline: Instant,
    ) -> Result<Worked, PartError> {
        let store = &self.payments.store;
        let contents = RunContents::read(store, run).await?;
        if self.is_covered(run, &contents).await? {
            return Ok(Worked::default());
        }
        let result = match contents.result(part) {
            Some(result) => result.clone(),
            None => {
                let result = self.result_of(run, part, &contents, deadline).await?;
                let content = to_json_string(&result);
                let key = plan::key_of(part);
                plan::read(run, &store.put(run, None, &key, content).await?)?
            }
        };
        if !result.next.is_empty() {
            let step = plan::split_key_of(part);
            return self.hand_over(run, &step, message_id, result.next).await;
        }
        let contents = RunContents::read(store, run).await?;
        if !contents.open_lists(run).is_empty() {
            return Ok(Worked::default());
        }
        let open = contents.open_rest(run);
        if !open.is_empty() {
            // The message of the last list hands over the parts that follow the lists.
            return match part {
                Part::List { .. } => self.hand_over(run, plan::REST, message_id, open).await,
                _ => Ok(Worked::default()),
            };
        }
        if contents.is_closed()
            || self.is_covered(run, &contents).await?
            || !self.claim(run, plan::END, message_id).await?
        {
            return Ok(Worked::default());
        }
        if run.is_scheduled {
            store.advance(run.project_id, run.daily, run.to).await?;
        }
        Ok(Worked {
            next: Vec::new(),
            ended: Some(contents.counts()),
        })
    }

    /// Returns whether another run has covered the interval of a scheduled run. Returns `false` if the end of the run
    /// is claimed, because then the run itself can have stored the progress.
    async fn is_covered(&self, run: &Run, contents: &RunContents) -> Result<bool, StoreError> {
        if !run.is_scheduled || contents.is_ending() {
            return Ok(false);
        }
        let until = self.payments.usable_progress(run.project_id, run.daily);
        Ok(until.await?.is_some_and(|until| until >= run.to))
    }

    /// Hands over parts, unless another message hands them over.
    async fn hand_over(
        &self,
        run: &Run,
        step: &str,
        message_id: &str,
        parts: Vec<Part>,
    ) -> Result<Worked, PartError> {
        let is_ours = self.claim(run, step, message_id).await?;
        let next = if is_ours { parts } else { Vec::new() };
        Ok(Worked { next, ended: None })
    }

    /// Returns whether a message is the first that claims a step of a run.
    async fn claim(&self, run: &Run, step: &str, message_id: &str) -> Result<bool, StoreError> {
        let store = &self.payments.store;
        let claimed_by = store.put(run, None, step, message_id.to_owned()).await?;
        Ok(claimed_by == message_id)
    }

    async fn result_of(
        &self,
        run: &Run,
        part: &Part,
        contents: &RunContents,
        deadline: Instant,
    ) -> Result<PartResult, PartError> {
        let done = match part {
            Part::List { from, to } => {
                let slice = Span {
                    from: *from,
                    to: *to,
                };
                self.compare_list(run, slice, deadline).await
            }
            Part::Missing(part) => {
                let skipped = contents.skipped(run);
                self.payments
                    .find_missing(run, part.clone(), &skipped, deadline)
                    .await
            }
            Part::Report(part) => self.payments.report(run, part.clone(), deadline).await,
        };
        let Err(error) = done else {
            return done;
        };
        if let Part::List { from, to } = part
            && run.is_scheduled
            && *to < self.payments.clock.now().before(GIVE_UP_AFTER)
        {
            // Every earlier run failed too. The newer intervals matter more than this one.
            Line::error(
                "a slice of the platform's list could not be compared for days and is skipped",
            )
            .with("project", run.project_id)
            .with("from", from)
            .with("error", error.to_string())
            .write();
            return Ok(PartResult::skipped());
        }
        // The error is stored, because the state of the run shows it. A failed write must not hide the error itself.
        let key = plan::failure_key_of(part);
        let text = plan::failure_text(run, part, &error);
        let _ = self.payments.store.put(run, None, &key, text).await;
        Err(error)
    }
}
