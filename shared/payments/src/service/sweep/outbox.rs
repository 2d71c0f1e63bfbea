//! Sweeps the outbox: publishes events that another call committed but did not publish, for example because the call
//! crashed or a queue failed.
//!
//! The sweep needs no lock. If two calls send the same event, the queue or the consumer drops the second copy.

use std::time::Duration;

use tokio::time::Instant;

use super::batch_run::{BatchLimits, BatchRun};
use crate::ports::{Clock, EventQueue, Index, PaymentStore};
use crate::service::commit::Payments;

/// The maximum number of payments whose outboxes are published in parallel.
const CONCURRENCY: usize = 16;

impl<S: PaymentStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Publishes the outbox of each payment whose oldest unpublished event was committed at least `grace` ago. The call
    /// that committed a younger event may still be publishing this event.
    pub async fn sweep_outbox(&self, grace: Duration, deadline: Instant) -> BatchRun {
        let due_by = self.clock.now().before(grace);
        let limits = BatchLimits::until(deadline, CONCURRENCY);
        let task = |key| async move {
            match self.publish_pending(&key).await? {
                Some(applied) => Ok(applied.published?),
                None => Ok(Vec::new()),
            }
        };
        self.run_batch(Index::Outbox, due_by, limits, task).await
    }
}
