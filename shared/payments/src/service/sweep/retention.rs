//! Expiry and retention: emits the ends of checkouts, erases customers, and counts overdue payments.

use tokio::time::Instant;

use super::batch_run::{BatchLimits, BatchRun};
use crate::decide::Command;
use crate::ports::{Clock, EventQueue, Index, PaymentStore};
use crate::service::commit::Payments;

/// The most payments in parallel.
const CONCURRENCY: usize = 16;
/// The most overdue payments that are counted.
const MAX_OVERDUE: usize = 1_000;

impl<S: PaymentStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Emits the ends of all checkouts that have expired.
    pub async fn expire_all(&self, deadline: Instant) -> BatchRun {
        let limits = BatchLimits::until(deadline, CONCURRENCY);
        let task = |key| async move {
            Ok(match self.execute(&key, Command::Expire).await? {
                Some((stored, change)) => self.publish_change(stored, change).await.published?,
                None => Vec::new(),
            })
        };
        self.run_batch(Index::Expire, self.clock.now(), limits, task)
            .await
    }

    /// Erases the customers whose retention has ended.
    pub async fn erase_all(&self, deadline: Instant) -> BatchRun {
        let limits = BatchLimits::until(deadline, CONCURRENCY);
        let task = |key| async move {
            self.execute(&key, Command::Erase(&self.schedule)).await?;
            Ok(Vec::new())
        };
        self.run_batch(Index::Erase, self.clock.now(), limits, task)
            .await
    }

    /// Counts the overdue payments, the first thousand of them.
    pub async fn count_overdue(&self, deadline: Instant) -> BatchRun {
        let limits = BatchLimits {
            max_payments: MAX_OVERDUE,
            ..BatchLimits::until(deadline, 1)
        };
        let task = |_| async { Ok(Vec::new()) };
        self.run_batch(Index::Overdue, self.clock.now(), limits, task)
            .await
    }
}
