//! Sends what was committed and not sent: the crash between a commit and its sends, the queue
//! that was down, the reply that was not 200 and that nobody repeated.
//!
//! It publishes as everybody does, so it needs no lock: where two send the same event, queues and
//! consumers drop the second one.

use std::time::Duration;

use tokio::time::Instant;

use crate::apply::{Applied, ApplyError, Payments};
use crate::event::EventKind;
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
            deadline,
        };
        let turn = |key| async move { sent(self.announce(&key).await) };
        self.round(Index::Unsent, before, bounds, turn).await
    }
}

fn sent(announced: Result<Option<Applied>, ApplyError>) -> Result<Vec<EventKind>, String> {
    match announced {
        Ok(Some(applied)) => applied.published.map_err(|error| error.to_string()),
        Ok(None) => Ok(Vec::new()),
        Err(error) => Err(error.to_string()),
    }
}
