//! Decides which run is due, and reads the state of a run.

use std::time::Duration;

use ecommpay::fields::ProjectId;

use super::plan::{self, RunContents};
use super::result::Counts;
use crate::model::day::Day;
use crate::model::timestamp::Timestamp;
use crate::ports::{
    Clock, Daily, EventQueue, Part, PaymentStore, ProgressStore, Run, RunStore, StoreError,
};
use crate::service::commit::Payments;
use crate::service::progress::not_in_the_future;
use crate::service::reconcile::Span;

/// A scheduled run compares only operations that are at least this old. The report of a younger operation can still
/// arrive, because the platform repeats callbacks and we poll the platform.
const SETTLED_AFTER: Duration = Duration::from_secs(3 * 3_600);

/// The random part of a run's id is below this number.
const IDS: u64 = 1 << 32;

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

/// Returns the day whose start is the end of what a task can cover.
fn settled_until(daily: Daily, now: Timestamp) -> Day {
    match daily {
        Daily::Compare => Day::of(now.before(SETTLED_AFTER)),
        Daily::Report => Day::of(now),
    }
}

impl<S: PaymentStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Returns the time up to which a task of a project is done. Without a progress that can be used, this is the start
    /// of the last day that the task can cover now, so the first run is due at once.
    pub async fn done_until(
        &self,
        project_id: ProjectId,
        daily: Daily,
    ) -> Result<Timestamp, StoreError>
    where
        S: ProgressStore,
    {
        let until = self.usable_progress(project_id, daily).await?;
        let settled = settled_until(daily, self.clock.now());
        Ok(until.unwrap_or_else(|| settled.previous().start()))
    }

    pub(super) async fn usable_progress(
        &self,
        project_id: ProjectId,
        daily: Daily,
    ) -> Result<Option<Timestamp>, StoreError>
    where
        S: ProgressStore,
    {
        let until = self.store.progress(project_id, daily).await;
        // An unreadable progress counts as no progress. The next run that ends stores a new progress.
        let until = StoreError::pass_over(until)?.flatten();
        Ok(not_in_the_future(until, project_id, self.clock.now()))
    }

    /// Returns the next run of a task; `None` if nothing is due. A report covers days that are over. A reconciliation
    /// covers days that ended at least three hours ago.
    ///
    /// For the same interval, all calls on one day return the same run. So two scheduled starts, or a scheduled start
    /// and the end of a previous run, share the results of the run. A call on a later day returns a new run, because
    /// some results of the old run can have expired.
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
        let name = match daily {
            Daily::Compare => "compare",
            Daily::Report => "report",
        };
        let settled = settled_until(daily, now);
        let to = Day::of(from).next().start().min(settled.start());
        let run = Run {
            project_id,
            daily,
            from,
            to,
            id: format!("{name}_{from}_{to}_{}", Day::of(now)),
            is_scheduled: true,
        };
        Ok((from < to).then_some(run))
    }

    /// Returns a run that compares an interval, even if the interval was compared before. The run does not change the
    /// progress.
    pub fn run_on_demand(&self, project_id: ProjectId, span: Span) -> Run {
        let millis = self.clock.now().unix_millis();
        Run {
            project_id,
            daily: Daily::Compare,
            from: span.from,
            to: span.to,
            id: format!("{millis}-{:08x}", self.clock.random(IDS)),
            is_scheduled: false,
        }
    }

    /// Returns the parts with which a run starts or continues. If each part has a result but the run was not reported,
    /// returns one part again, whose message ends the run.
    pub async fn open_parts(&self, run: &Run) -> Result<Vec<Part>, StoreError>
    where
        S: RunStore,
    {
        let contents = RunContents::read(&self.store, run).await?;
        let mut open = contents.open_lists(run);
        if open.is_empty() {
            open = contents.open_rest(run);
        }
        if open.is_empty() && !contents.is_closed() {
            open = run.first_parts();
            open.truncate(1);
        }
        Ok(open)
    }

    /// Returns the run of the task that is due after a scheduled run; `None` after a run on demand.
    pub async fn next_run(&self, run: &Run) -> Result<Option<Run>, StoreError>
    where
        S: ProgressStore,
    {
        if !run.is_scheduled {
            return Ok(None);
        }
        let next = self.due_run(run.project_id, run.daily).await?;
        // Without this condition, a progress that stays unreadable would start the same run again and again.
        Ok(next.filter(|next| next.from >= run.to))
    }

    /// Marks a run as reported, so that a repeated message does not report the run again.
    pub async fn close(&self, run: &Run) -> Result<(), StoreError>
    where
        S: RunStore,
    {
        let closed = self.store.put(run, None, plan::CLOSED, String::new());
        closed.await.map(drop)
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
