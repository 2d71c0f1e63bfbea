//! Sends what was committed and not sent: the crash between a commit and its sends, the queue
//! that was down, the reply that was not 200 and that nobody repeated.
//!
//! It publishes as everybody does, so it needs no lock: where two send the same event, queues and
//! consumers drop the second one.

use std::time::Duration;

use tokio::time::Instant;

use crate::apply::Payments;
use crate::ports::{Clock, EventQueue, Index, PaymentStore};
use crate::round::{Bounds, Round};

/// How many payments are published at once.
const AT_ONCE: usize = 16;

impl<S: PaymentStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Sends all events that were committed more than `grace` ago and are not sent: whoever
    /// committed them is no longer at it.
    pub async fn relay(&self, grace: Duration, deadline: Instant) -> Round {
        let before = self.clock.now().before(grace);
        let bounds = Bounds {
            at_once: AT_ONCE,
            most: usize::MAX,
            begin_until: deadline,
            deadline,
        };
        let turn = |key| async move {
            match self.announce(&key).await? {
                Some(applied) => Ok(applied.published?),
                None => Ok(Vec::new()),
            }
        };
        self.round(Index::Unsent, before, bounds, turn).await
    }
}
