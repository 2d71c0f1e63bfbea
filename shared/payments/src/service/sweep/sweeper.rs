//! Runs the sweeper: finds the due payments in the indexes, and does or hands out their work.

use std::fmt::Display;
use std::time::Duration;

use ecommpay::fields::ProjectId;
use futures_util::future::{join, join_all};
use tokio::time::{Instant, timeout_at};

use super::batch_run::BatchRun;
use super::find_due::Found;
use super::plan;
use crate::model::timestamp::Timestamp;
use crate::ports::{
    Clock, Due, EventQueue, Index, PaymentStore, SHARDS, Work, WorkMessage, WorkQueue,
};
use crate::service::commit::Payments;

/// The maximum number of tasks of each kind that a run does itself. These tasks need no message, no invocation and no
/// work queue. 1,000 tasks take about a second.
const MAX_DIRECT: usize = 1_000;
/// The maximum number of payments with late polls that a run checks for expiry and erasure. This number is divided
/// evenly among the projects. 10,000 checks take some seconds, because most checks only load the payment twice.
const MAX_LATE: usize = 10_000;
/// The maximum number of due payments of each kind that a run finds.
const MAX_FOUND: usize = 100_000;
/// To choose between old and new polls, a run reads more polls of a project than it can hand out, by this factor.
const WINDOW: usize = 10;
/// A poll is late if it has been due for longer than this. The payment of a late poll can need an expiry or an erasure,
/// although the index lists only the poll.
const LATE: Duration = Duration::from_secs(plan::PERIOD_S as u64);
/// The maximum number of overdue payments that are counted.
const MAX_OVERDUE: usize = 1_000;

/// The results of the sweep of the polls.
#[derive(Debug)]
pub struct PollSweep {
    /// The polls that were handed out.
    pub polled: BatchRun,
    /// The expiries of payments with late polls. No payment is counted, because most of these payments need no expiry.
    pub expired: BatchRun,
    /// The erasures of payments with late polls. No payment is counted.
    pub erased: BatchRun,
}

impl PollSweep {
    /// Returns the result of a sweep that could not start.
    pub fn of_failure(error: &impl Display) -> Self {
        Self {
            polled: BatchRun::of_failure(error),
            expired: BatchRun::EMPTY,
            erased: BatchRun::EMPTY,
        }
    }

    /// Adds the result of another part of the sweep.
    pub fn add(&mut self, sweep: PollSweep) {
        self.polled.add(sweep.polled);
        self.expired.add(sweep.expired);
        self.erased.add(sweep.erased);
    }
}

struct Late {
    project_id: ProjectId,
    due: Vec<Due>,
    /// Whether `due` has every late poll of the project.
    is_complete: bool,
}

/// Finds what is due, and does it or hands it out.
#[derive(Debug)]
pub struct Sweeper<'a, S, Q, C, W> {
    /// The use cases of payments.
    pub payments: &'a Payments<S, Q, C>,
    /// The queue to the worker.
    pub queue: &'a W,
    /// The maximum number of status polls of a project in one second. The platform documents no limit, so this
    /// service has its own limit.
    pub polls_per_second: usize,
}

impl<S, Q, C, W> Sweeper<'_, S, Q, C, W>
where
    S: PaymentStore + Sync,
    Q: EventQueue + Sync,
    C: Clock + Sync,
    W: WorkQueue + Sync,
{
    /// Hands out the due polls. Each project has the same limit, so a busy project does not delay others. The worker
    /// claims a poll when it sends the poll, so no payment changes here. The result has no `oldest_s`, because the
    /// sweeper does not know which listed payments can be read.
    ///
    /// The index has one entry for each payment, so a poll that waits hides the expiry and the erasure of its
    /// payment. Therefore the sweeper does the expiry and the erasure itself if a poll is late.
    pub async fn hand_out_polls(
        &self,
        projects: impl IntoIterator<Item = ProjectId>,
        deadline: Instant,
    ) -> PollSweep {
        let due_by = self.payments.clock.now();
        let quota = self.polls_per_second.saturating_mul(plan::PERIOD_S);
        let (mut run, mut selected, mut late) = (BatchRun::EMPTY, Vec::new(), Vec::new());
        let late_since = due_by.before(LATE);
        for (project_id, found) in self.find_polls(projects, due_by, deadline).await {
            let Found { due, run: search } = found;
            let is_late = |due: &&Due| due.since < late_since;
            late.push(Late {
                project_id,
                due: due.iter().filter(is_late).cloned().collect(),
                is_complete: search.in_time,
            });
            run.found += due.len() as u64;
            run.in_time &= due.len() <= quota;
            run.add(search);
            selected.push(plan::select(due, quota));
        }
        let now = self.payments.clock.now();
        let planned = plan::polls(&selected, self.polls_per_second, now);
        let (handed_out, direct) = join(
            self.hand_out(planned, deadline),
            self.expire_and_erase(late, late_since, deadline),
        )
        .await;
        run.add(handed_out);
        run.add(direct.polled);
        PollSweep {
            polled: run,
            ..direct
        }
    }

    /// Sweeps projects whose keys are missing. No poll is handed out, because no poll could be signed. Each project
    /// with a due poll counts as a failure. Checkouts expire and data is erased as usual.
    pub async fn sweep_without_keys(
        &self,
        projects: impl IntoIterator<Item = ProjectId>,
        deadline: Instant,
    ) -> PollSweep {
        let now = self.payments.clock.now();
        let (mut run, mut late) = (BatchRun::EMPTY, Vec::new());
        for (project_id, found) in self.find_polls(projects, now, deadline).await {
            let Found { due, run: search } = found;
            run.found += due.len() as u64;
            if !due.is_empty() {
                run.fail(format!("project {project_id} has due polls, but no key"));
            }
            late.push(Late {
                project_id,
                due,
                is_complete: search.in_time,
            });
            run.add(search);
        }
        let direct = self.expire_and_erase(late, now, deadline).await;
        run.add(direct.polled);
        PollSweep {
            polled: run,
            ..direct
        }
    }

    async fn find_polls(
        &self,
        projects: impl IntoIterator<Item = ProjectId>,
        due_by: Timestamp,
        deadline: Instant,
    ) -> Vec<(ProjectId, Found)> {
        let quota = self.polls_per_second.saturating_mul(plan::PERIOD_S);
        let max = quota.saturating_mul(WINDOW).min(MAX_FOUND);
        let finds = projects.into_iter().map(|project_id| async move {
            let index = Index::Poll(project_id);
            let found = self.payments.find_due(index, due_by, max, deadline);
            (project_id, found.await)
        });
        join_all(finds).await
    }

    /// Expires checkouts and erases data, if due, for payments whose polls wait since `late_since`. A run checks some
    /// of the payments of each project.
    async fn expire_and_erase(
        &self,
        mut late: Vec<Late>,
        late_since: Timestamp,
        deadline: Instant,
    ) -> PollSweep {
        late.retain(|late| !late.due.is_empty());
        let max = MAX_LATE.div_ceil(late.len().max(1));
        let parts = late
            .into_iter()
            .map(|late| self.part_of(late, late_since, max, deadline));
        let (mut search, mut part) = (BatchRun::EMPTY, Vec::new());
        for Found { due, run } in join_all(parts).await {
            search.add(run);
            part.extend(due);
        }
        // The expiries and the erasures do not run in parallel, because both load the same payments.
        let expired = self.payments.expire_all(part.clone(), deadline).await;
        let erased = self.payments.erase_all(part, deadline).await;
        PollSweep {
            polled: search,
            expired: without_counts(expired),
            erased: without_counts(erased),
        }
    }

    /// Returns the payments of a project that this run checks, at most `max`.
    ///
    /// If the run has not found every late poll, this function reads one shard completely. The shards take turns, so
    /// each shard is read every 16 minutes. So a payment is checked even if very many other polls are late for longer.
    async fn part_of(
        &self,
        late: Late,
        late_since: Timestamp,
        max: usize,
        deadline: Instant,
    ) -> Found {
        let minute = plan::minute(self.payments.clock.now());
        if late.is_complete {
            return Found {
                due: plan::part_of_turn(late.due, max, minute),
                run: BatchRun::EMPTY,
            };
        }
        let shards = u64::from(SHARDS);
        let shard = u8::try_from(minute % shards).unwrap_or_default();
        let index = Index::Poll(late.project_id);
        let found = self
            .payments
            .find_due_of(shard..shard + 1, index, late_since, MAX_FOUND, deadline)
            .await;
        Found {
            due: plan::part_of_turn(found.due, max, minute / shards),
            ..found
        }
    }

    /// Publishes the outbox of each payment whose oldest unpublished event is at least `grace` old. The call that
    /// committed a younger event can still publish this event.
    pub async fn sweep_outbox(&self, grace: Duration, deadline: Instant) -> BatchRun {
        let due_by = self.payments.clock.now().before(grace);
        let found = self
            .payments
            .find_due(Index::Outbox, due_by, MAX_FOUND, deadline);
        let (direct, rest, mut run) = divide(found.await);
        run.add(self.payments.publish_all(direct, deadline).await);
        let work = |payments| Work::Publish { payments };
        self.hand_out_rest(run, rest, work, deadline).await
    }

    /// Emits `checkout.expired` for each undecided payment whose checkout has expired.
    pub async fn expire(&self, deadline: Instant) -> BatchRun {
        let due_by = self.payments.clock.now();
        let found = self
            .payments
            .find_due(Index::Expire, due_by, MAX_FOUND, deadline);
        let (direct, rest, mut run) = divide(found.await);
        run.add(self.payments.expire_all(direct, deadline).await);
        let work = |payments| Work::Expire { payments };
        self.hand_out_rest(run, rest, work, deadline).await
    }

    /// Erases the customer's data of each payment whose retention time has ended.
    pub async fn erase(&self, deadline: Instant) -> BatchRun {
        let due_by = self.payments.clock.now();
        let found = self
            .payments
            .find_due(Index::Erase, due_by, MAX_FOUND, deadline);
        let (direct, rest, mut run) = divide(found.await);
        run.add(self.payments.erase_all(direct, deadline).await);
        let work = |payments| Work::Erase { payments };
        self.hand_out_rest(run, rest, work, deadline).await
    }

    /// Counts the overdue payments, up to 1,000.
    pub async fn count_overdue(&self, deadline: Instant) -> BatchRun {
        let now = self.payments.clock.now();
        let found = self
            .payments
            .find_due(Index::Overdue, now, MAX_OVERDUE, deadline);
        let Found { due, mut run } = found.await;
        let count = due.len() as u64;
        (run.found, run.done) = (count, count);
        let oldest = due.first().map_or(now, |oldest| oldest.since);
        run.oldest_s = now.since(oldest).as_secs();
        run
    }

    /// Hands out the payments beyond the limit of direct work. If all direct work failed, hands out nothing, because
    /// the worker would fail in the same way. The next run finds these payments again.
    async fn hand_out_rest(
        &self,
        mut run: BatchRun,
        rest: Vec<Due>,
        work: fn(Vec<Due>) -> Work,
        deadline: Instant,
    ) -> BatchRun {
        run.found += rest.len() as u64;
        match run.failed > 0 && run.done == 0 {
            true => run.in_time &= rest.is_empty(),
            false => {
                let planned = plan::without_delay(&rest, work);
                run.add(self.hand_out(planned, deadline).await);
            }
        }
        run
    }

    /// Sends messages to the worker, fewer if many messages already wait.
    async fn hand_out(&self, mut planned: Vec<WorkMessage>, deadline: Instant) -> BatchRun {
        let mut run = BatchRun::EMPTY;
        if planned.is_empty() {
            return run;
        }
        let before = planned.len();
        let sent = timeout_at(deadline, async {
            plan::reduce(&mut planned, self.queue.backlog().await?);
            self.queue.send(&planned).await
        });
        match sent.await {
            Ok(Ok(())) => run.handed_out = planned.iter().map(count).sum(),
            Ok(Err(error)) => run.fail(error.to_string()),
            Err(_) => run.in_time = false,
        }
        run.in_time &= planned.len() == before;
        run
    }
}

fn divide(found: Found) -> (Vec<Due>, Vec<Due>, BatchRun) {
    let Found { mut due, run } = found;
    let rest = due.split_off(due.len().min(MAX_DIRECT));
    (due, rest, run)
}

fn without_counts(run: BatchRun) -> BatchRun {
    BatchRun {
        found: 0,
        done: 0,
        unreadable: 0,
        oldest_s: 0,
        ..run
    }
}

fn count(message: &WorkMessage) -> u64 {
    match &message.work {
        Work::Poll { payments, .. }
        | Work::Publish { payments }
        | Work::Expire { payments }
        | Work::Erase { payments } => payments.len() as u64,
        Work::Part { .. } | Work::Unknown => 0,
    }
}
