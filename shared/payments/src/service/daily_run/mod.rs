//! Executes the runs of the daily tasks: the reconciliation and the report.
//!
//! A run covers at most one day of one project. It consists of parts ([`Part`]), which are done side by side, each in a
//! message of a queue. The schedule, or the end of the previous run, starts a run by sending its first parts. Each
//! part stores its result under a key of its own. If a part does not fit into one execution, its result names smaller
//! parts, which replace the rest of the part. So the parts form a tree, and a run has ended when each part of the tree
//! has a result. Whichever part is the last stores the progress of the task and reports the run.
//!
//! A message that is delivered twice changes nothing: the first result of a part stays, and every difference is emitted
//! once. A part that fails goes back to the queue. If it fails each time, the run never ends, the progress stays, and
//! the next schedule starts a new run at the same time.

mod plan;
mod result;

use std::time::Duration;

use ecommpay::fields::ProjectId;
use thiserror::Error;
use tokio::time::Instant;

use self::plan::RunContents;
pub use self::result::{Counts, PartResult};
use crate::json_text::to_json_string;
use crate::log::Line;
use crate::model::day::Day;
use crate::model::timestamp::Timestamp;
use crate::ports::{
    Clock, Daily, DataApi, EventQueue, NoAnswer, Part, PaymentStore, ProgressStore, Run, RunStore,
    StoreError,
};
use crate::service::commit::Payments;
use crate::service::error::{ApplyError, PublishError};
use crate::service::progress::not_in_the_future;
use crate::service::reconcile::Span;

/// A scheduled run compares only operations that are at least this old. The report of a younger operation may still
/// arrive, because the platform repeats callbacks and we poll the platform.
const SETTLED_AFTER: Duration = Duration::from_secs(3 * 3_600);

/// If the list of an interval still fails this long after its end, a scheduled run skips the list, so that it does not
/// keep back the newer intervals.
const GIVE_UP_AFTER: Duration = Duration::from_secs(3 * 24 * 3_600);

/// The random part of a run's id is below this number.
const IDS: u64 = 1 << 32;

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
#[derive(Debug, PartialEq, Eq)]
pub struct Worked {
    /// The parts that must be done now.
    pub next: Vec<Part>,
    /// The result of the run, if this was its last part.
    pub ended: Option<Counts>,
}

/// The state of a run.
#[derive(Debug, PartialEq, Eq)]
pub struct RunState {
    /// Whether each part has a result, and the run was reported.
    pub has_ended: bool,
    /// The sum of the results.
    pub counts: Counts,
    /// The error of a part that has no result yet.
    pub failure: Option<String>,
}

/// Why a part could not be done. The part may be repeated.
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
    /// The part has too many operations for one execution, and cannot be smaller.
    #[error("a minute has more operations than one execution can compare")]
    TooMany,
    /// There is no token of the Data API.
    #[error("no token of the Data API is stored")]
    NoToken,
}

impl<S: PaymentStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Returns the time up to which a task of a project is done. Without a progress that can be used, this is the start
    /// of yesterday.
    pub async fn done_until(
        &self,
        project_id: ProjectId,
        daily: Daily,
    ) -> Result<Timestamp, StoreError>
    where
        S: ProgressStore,
    {
        let now = self.clock.now();
        let until = self.store.progress(project_id, daily).await;
        // An unreadable progress counts as no progress. The next run that ends stores a new progress.
        let until = not_in_the_future(StoreError::pass_over(until)?.flatten(), project_id, now);
        Ok(until.unwrap_or_else(|| Day::of(now).previous().start()))
    }

    /// Returns the next run of a task; `None` if nothing is due. A report covers days that are over. A reconciliation
    /// covers days that ended at least three hours ago.
    pub async fn due_run(
        &self,
        project_id: ProjectId,
        daily: Daily,
    ) -> Result<Option<Run>, StoreError>
    where
        S: ProgressStore,
    {
        let now = self.clock.now();
        let from = self.done_until(project_id, daily).await?;
        let settled = match daily {
            Daily::Compare => now.before(SETTLED_AFTER),
            Daily::Report => now,
        };
        let to = Day::of(from).next().start().min(Day::of(settled).start());
        let run = self.run(project_id, daily, Span { from, to }, true);
        Ok((from < to).then_some(run))
    }

    /// Returns a run that compares an interval, even if it was compared before. The run does not change the progress.
    pub fn run_on_demand(&self, project_id: ProjectId, span: Span) -> Run {
        self.run(project_id, Daily::Compare, span, false)
    }

    fn run(&self, project_id: ProjectId, daily: Daily, span: Span, is_scheduled: bool) -> Run {
        let millis = self.clock.now().unix_millis();
        Run {
            project_id,
            daily,
            from: span.from,
            to: span.to,
            id: format!("{millis}-{:08x}", self.clock.random(IDS)),
            is_scheduled,
        }
    }

    /// Marks a run as reported, so that a repeated message does not report it again. Returns the next run of the task,
    /// if the schedule started the run.
    pub async fn close(&self, run: &Run) -> Result<Option<Run>, StoreError>
    where
        S: ProgressStore + RunStore,
    {
        self.store
            .put(run, None, plan::CLOSED, String::new())
            .await?;
        if !run.is_scheduled {
            return Ok(None);
        }
        let next = self.due_run(run.project_id, run.daily).await?;
        // Without this condition, a progress that stays unreadable would repeat the same run for ever.
        Ok(next.filter(|next| next.from >= run.to))
    }

    /// Returns the state of a run.
    pub async fn run_state(&self, run: &Run) -> Result<RunState, StoreError>
    where
        S: RunStore,
    {
        let contents = RunContents::read(&self.store, run).await?;
        Ok(RunState {
            has_ended: contents.is_closed(),
            counts: contents.counts(),
            failure: contents.failure(),
        })
    }
}

impl<S, Q, C, D> DailyRuns<'_, S, Q, C, D>
where
    S: PaymentStore + ProgressStore + RunStore + Sync,
    Q: EventQueue + Sync,
    C: Clock + Sync,
    D: DataApi + Sync,
{
    /// Does a part, unless the part has a result already. If it was the last part of a scheduled run, stores the
    /// progress.
    pub async fn work(
        &self,
        run: &Run,
        part: &Part,
        deadline: Instant,
    ) -> Result<Worked, PartError> {
        let store = &self.payments.store;
        let contents = RunContents::read(store, run).await?;
        let result = match contents.result(part) {
            Some(result) => result.clone(),
            None => {
                let result = self.result_of(run, part, &contents, deadline).await?;
                let content = to_json_string(&result);
                let key = plan::key_of(part);
                plan::read(run, &store.put(run, None, &key, content).await?)?
            }
        };
        let handed_over = |next| Ok(Worked { next, ended: None });
        if !result.next.is_empty() {
            return handed_over(result.next);
        }
        let contents = RunContents::read(store, run).await?;
        if !contents.open_lists(run).is_empty() {
            return handed_over(Vec::new());
        }
        let open = contents.open_rest(run);
        if !open.is_empty() || contents.is_closed() {
            // The last list hands out the rest. Two lists that end at the same time both hand it out, which does no
            // harm.
            let is_list = matches!(part, Part::List { .. });
            return handed_over(if is_list { open } else { Vec::new() });
        }
        if run.is_scheduled {
            store.advance(run.project_id, run.daily, run.to).await?;
        }
        Ok(Worked {
            next: Vec::new(),
            ended: Some(contents.counts()),
        })
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
        // The state of the run shows the error. A failed write must not hide the error itself.
        let key = plan::failure_key_of(part);
        let text = plan::failure_text(run, part, &error);
        let _ = self.payments.store.put(run, None, &key, text).await;
        Err(error)
    }
}
