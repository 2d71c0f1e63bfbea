//! Defines the parts of a run of the sweeper. Sparse indexes list the payments that are due.

use std::fmt::Display;
use std::time::Duration;

use ecommpay::fields::ProjectId;
use futures_util::future::{join, join_all};
use tokio::time::{Instant, timeout_at};

use super::batch_run::BatchRun;
use super::find_due::Found;
use super::plan;
use crate::model::timestamp::Timestamp;
use crate::ports::{Clock, Due, EventQueue, Index, PaymentStore, Work, WorkMessage, WorkQueue};
use crate::service::commit::Payments;

/// A run does at most this many tasks of each kind directly. Direct work needs no message and no further invocation,
/// and does not depend on the work queue. 1,000 tasks take about a second.
const MAX_DIRECT: usize = 1_000;
/// A run checks at most this many payments whose polls are late. Most checks only load the payment twice, so 10,000
/// checks take some seconds.
const MAX_LATE: usize = 10_000;
/// A run finds at most this many due payments of each kind.
const MAX_FOUND: usize = 100_000;
/// A run reads at most this many times the polls of a project that it can hand out. It needs more than it can hand out
/// for the choice between old and new ones.
const WINDOW: usize = 10;
/// A poll that is due for longer than this waits for the worker or for the limit of its project. Then the payment's
/// checkout can expire and its data can be due for erasure, although the index still has the poll.
const LATE: Duration = Duration::from_secs(plan::PERIOD_S as u64);
/// The count of overdue payments stops at this number.
const MAX_OVERDUE: usize = 1_000;

/// The results of the sweep of the polls.
#[derive(Debug)]
pub struct PollSweep {
    /// The polls that were handed out.
    pub polled: BatchRun,
    /// The expiries of payments whose polls wait. No payment is counted, because most of these payments need nothing.
    pub expired: BatchRun,
    /// The erasures of payments whose polls wait. No payment is counted.
    pub erased: BatchRun,
}

impl PollSweep {
    /// The result if the sweep could not start.
    pub fn of_failure(error: &impl Display) -> Self {
        Self {
            polled: BatchRun::of_failure(error),
            expired: BatchRun::EMPTY,
            erased: BatchRun::EMPTY,
        }
    }

    /// Adds the result of a further part of the sweep.
    pub fn add(&mut self, sweep: PollSweep) {
        self.polled.add(sweep.polled);
        self.expired.add(sweep.expired);
        self.erased.add(sweep.erased);
    }
}

/// Finds what is due, and does it or hands it out.
#[derive(Debug)]
pub struct Sweeper<'a, S, Q, C, W> {
    /// The use cases of payments.
    pub payments: &'a Payments<S, Q, C>,
    /// The queue to the worker.
    pub queue: &'a W,
    /// The maximum number of status polls of a project in one second. The platform documents no rate limit, so this
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
    /// Hands out the polls that are due. Each project has the same limit, even if one project has many more due
    /// payments than the other projects. Changes no payment: the worker claims a poll when it sends the poll. The
    /// result has no `oldest_s`, because the sweeper does not know which of the listed payments can be read.
    ///
    /// The index has one entry for each payment. So a poll that waits hides the expiry and the erasure of the same
    /// payment. Therefore the sweeper does these two directly if a poll is late.
    pub async fn hand_out_polls(
        &self,
        projects: impl IntoIterator<Item = ProjectId>,
        deadline: Instant,
    ) -> PollSweep {
        let due_by = self.payments.clock.now();
        let quota = self.polls_per_second.saturating_mul(plan::PERIOD_S);
        let (mut run, mut selected, mut late) = (BatchRun::EMPTY, Vec::new(), Vec::new());
        let late_since = due_by.before(LATE);
        for (_, Found { due, run: search }) in self.find_polls(projects, due_by, deadline).await {
            run.found += due.len() as u64;
            run.in_time &= due.len() <= quota;
            run.add(search);
            late.extend(due.iter().filter(|due| due.since < late_since).cloned());
            selected.push(plan::select(due, quota));
        }
        let now = self.payments.clock.now();
        let planned = plan::polls(&selected, self.polls_per_second, now);
        let (handed_out, direct) = join(
            self.hand_out(planned, deadline),
            self.expire_and_erase(&late, deadline),
        )
        .await;
        run.add(handed_out);
        PollSweep {
            polled: run,
            ..direct
        }
    }

    /// Sweeps projects whose keys are missing. Without a key, no poll can be signed, so no poll is handed out. Each project
    /// with a due poll counts as a failure, which names the project. Checkouts expire and data is erased as usual.
    pub async fn sweep_without_keys(
        &self,
        projects: impl IntoIterator<Item = ProjectId>,
        deadline: Instant,
    ) -> PollSweep {
        let now = self.payments.clock.now();
        let (mut run, mut late) = (BatchRun::EMPTY, Vec::new());
        for (project_id, found) in self.find_polls(projects, now, deadline).await {
            run.found += found.due.len() as u64;
            run.add(found.run);
            if !found.due.is_empty() {
                run.fail(format!("project {project_id} has due polls, but no key"));
            }
            late.extend(found.due);
        }
        PollSweep {
            polled: run,
            ..self.expire_and_erase(&late, deadline).await
        }
    }

    /// Finds the due polls of each project.
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

    /// Expires the checkouts and erases the data of payments whose polls wait, if they are due. A run checks a part of
    /// the payments.
    async fn expire_and_erase(&self, late: &[Due], deadline: Instant) -> PollSweep {
        let part = plan::part_of_minute(late, MAX_LATE, self.payments.clock.now());
        // One after the other, because both load the same payments.
        let expired = self.payments.expire_all(part.clone(), deadline).await;
        let erased = self.payments.erase_all(part, deadline).await;
        PollSweep {
            polled: BatchRun::EMPTY,
            expired: without_counts(expired),
            erased: without_counts(erased),
        }
    }

    /// Publishes the outbox of each payment whose oldest unpublished event was committed at least `grace` ago. The call
    /// that committed a younger event may still be publishing this event.
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

    /// Emits `checkout.expired` for each checkout that has expired while the payment is undecided.
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

    /// Counts the overdue payments. The count stops at 1,000.
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

    /// Hands out the payments that exceed the limit of direct work. If all direct work has failed, hands out nothing,
    /// because the worker would fail in the same way; the next run continues.
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

    /// Sends messages to the worker. If many messages already wait, sends fewer.
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

/// Divides due payments into those for direct work and the rest.
fn divide(found: Found) -> (Vec<Due>, Vec<Due>, BatchRun) {
    let Found { mut due, run } = found;
    let rest = due.split_off(due.len().min(MAX_DIRECT));
    (due, rest, run)
}

/// Removes the counts of payments.
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
