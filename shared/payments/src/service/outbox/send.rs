//! Sends stored events to the queues, and marks them as published.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::read_events::read_events;

use crate::events::metrics::{self, Alert};
use crate::events::{Event, EventKind};
use crate::ports::{EventQueue, PaymentStore, SendError, StoreError, Stored};
use crate::service::error::PublishError;

/// An event that every queue has accepted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) kind: EventKind,
    alert: Option<Alert>,
}

/// Sends the unpublished events of a payment to every queue that receives their types. Does not mark the events as
/// published. `fresh` has the events that the caller has just committed. If no other event is unpublished, the events
/// are not read from the store.
pub(super) async fn send<S: PaymentStore, Q: EventQueue>(
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
        let read = read_events(store, &key, first, last).await?;
        let found = read.events.len();
        let numbers = read.events.iter().map(|event| event.sequence);
        let stored: BTreeSet<u64> = numbers.chain(read.unreadable).collect();
        if !stored.into_iter().eq(first..=last) {
            return Err(PublishError::Missing { first, last, found });
        }
        loaded = read.events;
        &loaded
    };
    send_to_all(queues, unpublished, None).await?;
    let sent = |event: &Event| Sent {
        kind: event.kind,
        alert: metrics::alert(event),
    };
    Ok(unpublished.iter().map(sent).collect())
}

/// Sends events in order to every queue that receives their types. If the events were sent before, `repeat` is the name
/// of the repeat. For a first send, `repeat` is `None`.
pub(super) async fn send_to_all<Q: EventQueue>(
    queues: &[Q],
    events: &[Event],
    repeat: Option<&str>,
) -> Result<(), SendError> {
    let sends = queues
        .iter()
        .map(|queue| send_in_order(queue, events, repeat));
    // A failure of one queue does not stop the sends to the other queues.
    join_all(sends).await.into_iter().collect()
}

async fn send_in_order<Q: EventQueue>(
    queue: &Q,
    events: &[Event],
    repeat: Option<&str>,
) -> Result<(), SendError> {
    for event in events.iter().filter(|event| queue.wants(event.kind)) {
        queue.send(event, repeat).await?;
    }
    Ok(())
}

/// Marks all events of a payment as published. Returns the published mark as it was before this call.
pub(super) async fn mark<S: PaymentStore>(store: &S, stored: &Stored) -> Result<u64, StoreError> {
    let last = stored.payment.sequence();
    match stored.published < last {
        true => store.mark_published(&stored.payment.key(), last).await,
        false => Ok(last),
    }
}

/// Returns the kinds of those `sent` events that this call marked as published, and logs the alerts of these events.
/// `published` is the mark before this call. If two calls publish the same event in parallel, only one call marks it.
pub(super) fn newly_marked(stored: &Stored, published: u64, sent: &[Sent]) -> Vec<EventKind> {
    let new = stored.payment.sequence().saturating_sub(published);
    let new = usize::try_from(new).unwrap_or(usize::MAX).min(sent.len());
    let marked = || sent.iter().skip(sent.len() - new);
    for alert in marked().filter_map(|sent| sent.alert) {
        metrics::log_alert(&stored.payment.key(), alert);
    }
    marked().map(|sent| sent.kind).collect()
}
