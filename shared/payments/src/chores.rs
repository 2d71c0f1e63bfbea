//! What is to be done in time about payments: the ends of their checkouts are emitted, their customers
//! erased, and what is open past its end is counted until an operator has looked.

use tokio::time::Instant;

use crate::apply::{ApplyError, Payments};
use crate::decide::{self, Command};
use crate::event::EventKind;
use crate::ids::PaymentKey;
use crate::ports::{Clock, EventQueue, Index, PaymentStore};
use crate::round::{Bounds, Round, TICK, Unfinished};

/// How many payments are written at once.
const AT_ONCE: usize = 16;
/// No more are counted.
const MOST_OVERDUE: usize = 1_000;

impl<S: PaymentStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Emits the ends of all checkouts whose time has run out.
    pub async fn expire_all(&self, deadline: Instant) -> Round {
        let bounds = Bounds {
            at_once: AT_ONCE,
            most: usize::MAX,
            begin_until: deadline,
            deadline,
        };
        let turn = |key: PaymentKey| async move { self.expire(&key).await };
        let before = self.clock.now().after(TICK);
        self.round(Index::Expire, before, bounds, turn).await
    }

    async fn expire(&self, key: &PaymentKey) -> Result<Vec<EventKind>, Unfinished> {
        let expired = self.update(key, |payment, at| {
            let expired = decide::execute(payment, Command::Expire, at);
            Ok::<_, ApplyError>(expired.unwrap_or_default())
        });
        Ok(match expired.await? {
            Some((stored, change)) => self.applied(stored, change).await.published?,
            None => Vec::new(),
        })
    }

    /// Erases the customers of all payments whose time has come.
    pub async fn erase_all(&self, deadline: Instant) -> Round {
        let bounds = Bounds {
            at_once: AT_ONCE,
            most: usize::MAX,
            begin_until: deadline,
            deadline,
        };
        let turn = |key: PaymentKey| async move {
            self.erase(&key).await?;
            Ok(Vec::new())
        };
        let before = self.clock.now().after(TICK);
        self.round(Index::Erase, before, bounds, turn).await
    }

    async fn erase(&self, key: &PaymentKey) -> Result<(), ApplyError> {
        let erased = self.update(key, |payment, at| {
            let erased = decide::execute(payment, Command::Erase(&self.schedule), at);
            Ok::<_, ApplyError>(erased.unwrap_or_default())
        });
        erased.await.map(|_| ())
    }

    /// Counts the payments that are open past their end, the first thousand of them.
    pub async fn overdue(&self, deadline: Instant) -> Round {
        let bounds = Bounds {
            at_once: 1,
            most: MOST_OVERDUE,
            begin_until: deadline,
            deadline,
        };
        let turn = |_| async { Ok(Vec::new()) };
        self.round(Index::Overdue, self.clock.now(), bounds, turn)
            .await
    }
}
