//! Does the work about due payments. The sweeper does a small number of tasks directly, and the worker does the tasks
//! that the sweeper hands out. Each task loads its payment first and does nothing if the task is not due any more.

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

/// The maximum number of payments whose outboxes one batch publishes in parallel.
const CONCURRENT_OUTBOXES: usize = 16;
/// The maximum number of checkouts that one batch expires, or of payments that it erases, in parallel.
const CONCURRENT_RETENTION: usize = 24;
/// The time of a batch is divided by this number. After this part of the time, no further page of the same payment
/// starts.
const SHARE: u32 = 4;

impl<S: PaymentStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Publishes the outbox of each payment: events that another call committed but did not publish, for example
    /// because the call crashed or a queue failed. Needs no lock: if two calls send the same event, the queue or the
    /// consumer drops the second copy.
    ///
    /// A payment with many events uses at most a quarter of the time of a batch. So it does not delay other payments.
    /// The next batch with the payment continues with the remaining events.
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
                            // A release that did not know a word has put the payment into the index.
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

    /// Emits `checkout.expired` for each payment whose checkout has expired while the payment is undecided.
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
    /// Polls the platform about each payment. A failed poll is not repeated: the next poll follows at its scheduled
    /// time. If the deadline cuts off a claimed poll, the payment waits for its next poll too.
    ///
    /// Does nothing after the time `until`. Then the sweeper hands out the polls again. All payments count for `oldest_s`,
    /// although some of them may be unreadable or not due any more.
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
