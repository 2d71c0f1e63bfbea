//! Publishes the outbox of one payment.

use super::send::{mark, newly_marked, send};
use crate::decide::{self, Command};
use crate::events::{Event, EventKind};
use crate::ports::{Clock, EventQueue, PaymentStore, Stored};
use crate::service::commit::Payments;
use crate::service::error::PublishError;

impl<S: PaymentStore, Q: EventQueue, C: Clock> Payments<S, Q, C> {
    /// Emits pending events, then publishes the payment's outbox. `fresh` has the events that the caller has just
    /// committed.
    ///
    /// Returns the kinds of the events that this call marked as published. Each event is marked by only one call, so
    /// the callers count each event once.
    ///
    /// If a `payment.succeeded` is sent, checks whether another payment has paid the order too. Skips the check if a
    /// commit proved that this payment was the first to pay the order.
    pub(crate) async fn publish(
        &self,
        stored: &mut Stored,
        mut fresh: Vec<Event>,
    ) -> Result<Vec<EventKind>, PublishError> {
        let key = stored.payment.key();
        // Pending events are emitted first, because a payment leaves the outbox index when all its events are
        // published. No sweep would then find an event that is still pending.
        while decide::has_pending_events(&stored.payment, self.clock.now()) {
            let emitted = self.execute(&key, Command::EmitPending);
            let Some((newer, change)) = emitted.await? else {
                break;
            };
            let is_first_to_pay = stored.is_first_to_pay || newer.is_first_to_pay;
            *stored = Stored {
                is_first_to_pay,
                ..newer
            };
            fresh.extend(change.into_iter().flat_map(|change| change.events));
        }
        let sent = send(&self.store, &self.queues, stored, &fresh).await?;
        let is_paid = sent
            .iter()
            .any(|sent| sent.kind == EventKind::PaymentSucceeded);
        if is_paid && !stored.is_first_to_pay {
            self.check_paid_twice(&stored.payment).await?;
        }
        let published = mark(&self.store, stored).await?;
        Ok(newly_marked(stored, published, &sent))
    }
}
