//! The outbox: publishes committed events to the queues (`shared/decisions/0001-outbox.md`).
//!
//! Events are published oldest first, and one at a time to each queue. The queues work in parallel; a
//! queue stops at its first failure. The events are marked as published only after every queue
//! has accepted them. A crash in between leads to a repeat, never to a loss or to another order. FIFO queues drop a
//! repeat within five minutes; consumers drop it by the event's id. The outbox sweep
//! ([`crate::service::sweep::outbox`]) finds payments whose outbox no call has emptied.

mod paid_twice;
pub mod republish;

use futures_util::future::join_all;

use super::commit::Payments;
use super::error::PublishError;
use crate::decide::{self, Command};
use crate::events::metrics::{self, Alert};
use crate::events::{Event, EventKind};
use crate::ports::{Clock, EventQueue, PaymentStore, SendError, StoreError, Stored};

/// An event that every queue has accepted.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// The event's kind.
    pub kind: EventKind,
    alert: Option<Alert>,
}

impl<S: PaymentStore, Q: EventQueue, C: Clock> Payments<S, Q, C> {
    /// Emits pending events, then publishes the payment's outbox. `fresh` are the events that were
    /// just committed.
    ///
    /// Returns the kinds of the events that this call marked as published, so that each event is counted
    /// once. For each `payment.succeeded`, checks whether another payment already paid the order. The
    /// check is skipped if the commit proved that this payment was the first.
    pub(crate) async fn publish(
        &self,
        stored: &mut Stored,
        mut fresh: Vec<Event>,
    ) -> Result<Vec<EventKind>, PublishError> {
        let key = stored.payment.key();
        // Pending events first: a payment leaves the outbox's index once everything is published, and
        // nothing would find a pending event after that.
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

/// Sends the unpublished events of a payment to every queue that wants them, without marking them.
/// `fresh` are the events that were just committed; they save a read.
pub async fn send<S: PaymentStore, Q: EventQueue>(
    store: &S,
    queues: &[Q],
    stored: &Stored,
    fresh: &[Event],
) -> Result<Vec<Sent>, PublishError> {
    let last = stored.payment.sequence();
    if stored.published >= last {
        return Ok(Vec::new());
    }
    let first = stored.published + 1;
    let key = stored.payment.key();
    let is_complete = |events: &[Event]| {
        let numbers = events.iter().map(|event| event.sequence);
        numbers.eq(first..=last)
    };
    let loaded;
    let unpublished = if is_complete(fresh) {
        fresh
    } else {
        loaded = store.events(&key, first, last).await?;
        &loaded
    };
    if !is_complete(unpublished) {
        let found = unpublished.len();
        return Err(PublishError::Missing { first, last, found });
    }
    let sends = queues
        .iter()
        .map(|queue| send_in_order(queue, unpublished, None));
    for sent in join_all(sends).await {
        sent?;
    }
    let sent = |event: &Event| Sent {
        kind: event.kind,
        alert: metrics::alert(event),
    };
    Ok(unpublished.iter().map(sent).collect())
}

/// Marks all events of a payment as published. Returns the number of the last event that was marked
/// before.
pub async fn mark<S: PaymentStore>(store: &S, stored: &Stored) -> Result<u64, StoreError> {
    let last = stored.payment.sequence();
    match stored.published < last {
        true => store.mark_published(&stored.payment.key(), last).await,
        false => Ok(last),
    }
}

/// Returns the kinds of the `sent` events that were not marked before, and logs their alerts. If two
/// calls publish the same event in parallel, only one of them counts it.
pub(crate) fn newly_marked(stored: &Stored, published: u64, sent: &[Sent]) -> Vec<EventKind> {
    let new = stored.payment.sequence().saturating_sub(published);
    let new = usize::try_from(new).unwrap_or(usize::MAX).min(sent.len());
    let marked = || sent.iter().skip(sent.len() - new);
    for alert in marked().filter_map(|sent| sent.alert) {
        metrics::warn_of(&stored.payment.key(), alert);
    }
    marked().map(|sent| sent.kind).collect()
}

/// Sends the events that a queue wants, in order. `repeat` names a repeat of events that were sent before.
pub(crate) async fn send_in_order<Q: EventQueue>(
    queue: &Q,
    events: &[Event],
    repeat: Option<&str>,
) -> Result<(), SendError> {
    for event in events.iter().filter(|event| queue.wants(event.kind)) {
        queue.send(event, repeat).await?;
    }
    Ok(())
}
