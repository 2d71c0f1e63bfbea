//! Defines the parts of a run of the sweeper. Sparse indexes list the payments that are due.

use std::time::Duration;

use ecommpay::fields::ProjectId;
use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use super::batch_run::BatchRun;
use super::find_due::Found;
use super::plan;
use crate::ports::{Clock, Due, EventQueue, Index, PaymentStore, Work, WorkMessage, WorkQueue};
use crate::service::commit::Payments;

/// A run does at most this many tasks of each kind directly. Direct work needs no message and no further invocation,
/// and does not depend on the work queue. 1,000 tasks take about a second.
const MAX_DIRECT: usize = 1_000;
/// A run finds at most this many due payments of each kind.
const MAX_FOUND: usize = 100_000;
/// A run reads at most this many times the polls of a project that it can hand out. It needs more than it can hand out
/// for the choice between old and new ones.
const WINDOW: usize = 10;
/// The count of overdue payments stops at this number.
const MAX_OVERDUE: usize = 1_000;

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
    pub async fn hand_out_polls(
        &self,
        projects: impl IntoIterator<Item = ProjectId>,
        deadline: Instant,
    ) -> BatchRun {
        let due_by = self.payments.clock.now();
        let quota = self.polls_per_second.saturating_mul(plan::PERIOD_S);
        let max = quota.saturating_mul(WINDOW).min(MAX_FOUND);
        let finds = projects.into_iter().map(|project_id| {
            let index = Index::Poll(project_id);
            self.payments.find_due(index, due_by, max, deadline)
        });
        let (mut run, mut selected) = (BatchRun::EMPTY, Vec::new());
        for Found { due, run: search } in join_all(finds).await {
            run.found += due.len() as u64;
            run.in_time &= due.len() <= quota;
            run.add(search);
            selected.push(plan::select(due, quota));
        }
        let planned = plan::polls(&selected, self.polls_per_second);
        run.add(self.hand_out(planned, deadline).await);
        run
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

fn count(message: &WorkMessage) -> u64 {
    match &message.work {
        Work::Poll { payments }
        | Work::Publish { payments }
        | Work::Expire { payments }
        | Work::Erase { payments } => payments.len() as u64,
        Work::Part { .. } | Work::Unknown => 0,
    }
}
