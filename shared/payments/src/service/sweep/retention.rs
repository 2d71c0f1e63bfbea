//! Emits `checkout.expired`, erases customers' data, and counts overdue payments.

use tokio::time::Instant;

use super::batch_run::{BatchLimits, BatchRun};
use crate::decide::Command;
use crate::ports::{Clock, EventQueue, Index, PaymentStore};
use crate::service::commit::Payments;
use crate::service::error::left_to_sweep;

/// The maximum number of payments that one task, expiry or erasure, processes in parallel.
const CONCURRENCY: usize = 24;
/// The count of overdue payments stops at this number.
const MAX_OVERDUE: usize = 1_000;

impl<S: PaymentStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Emits `checkout.expired` for each checkout that has expired while the payment is undecided.
    pub async fn expire_all(&self, deadline: Instant) -> BatchRun {
        let limits = BatchLimits::until(deadline, CONCURRENCY);
        let task = |key| async move {
            Ok(match self.execute(&key, Command::Expire).await? {
                Some((stored, change)) => {
                    left_to_sweep(self.publish_change(stored, change).await.published)?
                }
                None => Vec::new(),
            })
        };
        self.run_batch(Index::Expire, self.clock.now(), limits, task)
            .await
    }

    /// Erases the customer's data of each payment whose retention time has ended.
    pub async fn erase_all(&self, deadline: Instant) -> BatchRun {
        let limits = BatchLimits::until(deadline, CONCURRENCY);
        let task = |key| async move {
            self.execute(&key, Command::Erase(&self.schedule)).await?;
            Ok(Vec::new())
        };
        self.run_batch(Index::Erase, self.clock.now(), limits, task)
            .await
    }

    /// Counts the overdue payments. The count stops at 1,000.
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
