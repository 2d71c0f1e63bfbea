//! Sweeps the outbox: publishes events that another call committed but did not publish, for example because the call
//! crashed or a queue failed.
//!
//! A payment with many events uses at most a quarter of the time of a run. So it does not delay other payments. The
//! next run continues with the remaining events.
//!
//! The sweep needs no lock. If two calls send the same event, the queue or the consumer drops the second copy.

use std::time::Duration;

use tokio::time::Instant;

use super::batch_run::{BatchLimits, BatchRun, Unfinished};
use crate::ports::{Clock, EventQueue, Index, PaymentStore};
use crate::service::commit::Payments;
use crate::service::error::PublishError;
use crate::service::outbox::PublishLimit;

/// The maximum number of payments whose outboxes are published in parallel.
const CONCURRENCY: usize = 16;
/// The time of a run is divided by this number. After this part of the time, no further page of the same payment
/// starts.
const SHARE: u32 = 4;

impl<S: PaymentStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Publishes the outbox of each payment whose oldest unpublished event was committed at least `grace` ago. The call
    /// that committed a younger event may still be publishing this event.
    pub async fn sweep_outbox(&self, grace: Duration, deadline: Instant) -> BatchRun {
        let due_by = self.clock.now().before(grace);
        let limits = BatchLimits::until(deadline, CONCURRENCY);
        let share = deadline.saturating_duration_since(Instant::now()) / SHARE;
        let task = |key| async move {
            let limit = PublishLimit::Until(Instant::now() + share);
            match self.publish_until(&key, limit).await? {
                Some(applied) => match applied.published {
                    Err(PublishError::Unfinished) => Err(Unfinished::Late),
                    published => Ok(published?),
                },
                None => Ok(Vec::new()),
            }
        };
        self.run_batch(Index::Outbox, due_by, limits, task).await
    }
}
