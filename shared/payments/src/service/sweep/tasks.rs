//! Does the tasks of due payments, for the sweeper and the worker. Each task loads its payment first, and does
//! nothing if the task is no longer due.

use tokio::time::Instant;

use super::batch_run::{BatchRun, Unfinished};
use super::plan::POLLS_PER_MESSAGE;
use crate::decide::Command;
use crate::log::Line;
use crate::model::ids::PaymentKey;
use crate::model::timestamp::Timestamp;
use crate::ports::{Clock, Due, EventQueue, Gate, PaymentStore};
use crate::service::commit::Payments;
use crate::service::error::{PublishError, left_to_sweep};
use crate::service::outbox::PublishLimit;
use crate::service::status_poll::StatusPoller;

const CONCURRENT_OUTBOXES: usize = 16;
/// The maximum number of payments that a batch expires or erases in parallel.
const CONCURRENT_RETENTION: usize = 24;
/// The time of a batch is divided by this number. A payment with many events can use at most one of the parts.
const SHARE: u32 = 4;

impl<S: PaymentStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Publishes the outbox of each payment. An outbox can have events after a call crashed or a queue failed. No lock
    /// is needed, because the queue or the consumer drops the second copy of an event.
    ///
    /// A payment with many events uses at most a quarter of the time of a batch, so the payment does not delay other
    /// payments. The next batch publishes the remaining events of the payment.
    pub async fn publish_all(&self, due: Vec<Due>, deadline: Instant) -> BatchRun {
        let share = deadline.saturating_duration_since(Instant::now()) / SHARE;
        let task = |key| async move {
            let limit = PublishLimit::Until(Instant::now() + share);
            match self.publish_until(&key, limit).await? {
                Some(applied) => match applied.published {
                    Err(PublishError::Unfinished) => Err(Unfinished::Late),
                    published => {
                        let published = published?;
                        if applied.payment.needs_newer_release() {
                            Line::warn("only a newer release can emit the events of a payment")
                                .with("payment", applied.payment.key().to_string())
                                .write();
                        } else if published.is_empty() {
                            // A release that did not know a word has put the payment into the index. There was no
                            // event to publish, so the payment leaves the index.
                            let last = applied.payment.sequence();
                            let left = self.store.mark_published(&key, last).await;
                            left.map_err(PublishError::from)?;
                        }
                        Ok(published)
                    }
                },
                None => Ok(Vec::new()),
            }
        };
        let run = self.run_batch(due, CONCURRENT_OUTBOXES, deadline, task);
        run.await
    }

    /// Emits `checkout.expired` for each undecided payment whose checkout has expired.
    pub async fn expire_all(&self, due: Vec<Due>, deadline: Instant) -> BatchRun {
        let task = |key| async move {
            Ok(match self.execute(&key, Command::Expire).await? {
                Some((stored, change)) => {
                    left_to_sweep(self.publish_change(stored, change).await.published)?
                }
                None => Vec::new(),
            })
        };
        let run = self.run_batch(due, CONCURRENT_RETENTION, deadline, task);
        run.await
    }

    /// Erases the customer's data of each payment whose retention time has ended.
    pub async fn erase_all(&self, due: Vec<Due>, deadline: Instant) -> BatchRun {
        let task = |key| async move {
            self.execute(&key, Command::Erase(&self.schedule)).await?;
            Ok(Vec::new())
        };
        let run = self.run_batch(due, CONCURRENT_RETENTION, deadline, task);
        run.await
    }
}

impl<S, Q, C, G> StatusPoller<'_, S, Q, C, G>
where
    S: PaymentStore + Sync,
    Q: EventQueue + Sync,
    C: Clock + Sync,
    G: Gate + Sync,
{
    /// Polls the platform about each payment. A poll that fails or is interrupted by the deadline is not repeated
    /// before the next scheduled poll.
    ///
    /// Does nothing after the time `until`, because the sweeper hands out the polls again. All payments then count
    /// for `oldest_s`, although some of these payments can be unreadable or no longer due.
    pub async fn poll_all(
        &self,
        due: Vec<Due>,
        until: Option<Timestamp>,
        deadline: Instant,
    ) -> BatchRun {
        let now = self.payments.clock.now();
        if until.is_some_and(|until| until < now) {
            let lags = due.iter().map(|due| now.since(due.since).as_secs());
            return BatchRun {
                found: due.len() as u64,
                in_time: false,
                oldest_s: lags.max().unwrap_or_default(),
                ..BatchRun::EMPTY
            };
        }
        let task = |key: PaymentKey| async move {
            let polled = self.poll_if_due(&key, now).await?;
            polled.ok_or(Unfinished::NotDue)
        };
        let run = self
            .payments
            .run_batch(due, POLLS_PER_MESSAGE, deadline, task);
        run.await
    }
}
