//! Sends committed events to the queues.
//!
//! Whoever publishes sends everything of that payment that is still unsent, oldest first, one
//! event at a time for each queue, the queues side by side; a queue that fails stops there. Only
//! then the events are marked as sent. A crash anywhere in between leads to a repeat, which FIFO
//! queues drop within five minutes and consumers by the event's id; never to a loss or a swap.
//!
//! What nobody comes back for is found in a sparse index ([`crate::relay`]). A callback so costs a
//! read, a write, a send and a mark, and 200 means announced. Rejected: a DynamoDB stream that a
//! function forwards, which is cheaper and needs no mark; but 200 would mean "will be announced",
//! one event that cannot be sent would hold up every payment of its stream's shard, a stream
//! forgets after a day and so needs the index as well, and no local AWS runs one in a test. An
//! optimistic write without a read; but what to write depends on all that is known, and for a
//! duplicate a refused write costs eight times the read that finds nothing to do. And sends
//! without a mark; but then nobody can tell what is unsent without reading everything.

use futures_util::future::join_all;
use thiserror::Error;

use crate::apply::ApplyError;
use crate::event::{self, Alert, Event, EventKind};
use crate::ports::{EventQueue, PaymentStore, SendError, StoreError, Stored};

/// Events are committed, but not all of them are sent or marked.
#[derive(Debug, Error)]
pub enum PublishError {
    /// A queue failed.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is more to tell, and that could not be committed.
    #[error(transparent)]
    Untold(#[from] ApplyError),
    /// Events are gone that were never marked as sent.
    #[error("of the events {first} to {last} only {found} are there")]
    Missing {
        /// The first that is not marked as sent.
        first: u64,
        /// The last one.
        last: u64,
        /// How many of them are there.
        found: usize,
    },
}

/// An event that was sent.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// Its kind.
    pub kind: EventKind,
    alert: Option<Alert>,
}

/// Sends what `stored` has unsent; `fresh` are events that were just committed. They are not marked as
/// sent yet.
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
    let is_whole = |events: &[Event]| {
        let numbers = events.iter().map(|event| event.sequence);
        numbers.eq(first..=last)
    };
    let loaded;
    let unsent = if is_whole(fresh) {
        fresh
    } else {
        loaded = store.events(&key, first, last).await?;
        &loaded
    };
    if !is_whole(unsent) {
        let found = unsent.len();
        return Err(PublishError::Missing { first, last, found });
    }
    let sends = queues
        .iter()
        .map(|queue| send_in_order(queue, unsent, None));
    for sent in join_all(sends).await {
        sent?;
    }
    let sent = |event: &Event| Sent {
        kind: event.kind,
        alert: event.alert(),
    };
    Ok(unsent.iter().map(sent).collect())
}

/// Marks everything of `stored` as published. Gives the number up to which it was marked before.
pub async fn mark<S: PaymentStore>(store: &S, stored: &Stored) -> Result<u64, StoreError> {
    let last = stored.payment.sequence();
    match stored.published < last {
        true => store.mark_published(&stored.payment.key(), last).await,
        false => Ok(last),
    }
}

/// Those of the events `sent` that were not marked before: where two calls publish the same event at
/// once, only one of them counts it, and warns of it.
pub(crate) fn marked_here(stored: &Stored, published: u64, sent: &[Sent]) -> Vec<EventKind> {
    let new = stored.payment.sequence().saturating_sub(published);
    let new = usize::try_from(new).unwrap_or(usize::MAX).min(sent.len());
    let marked = || sent.iter().skip(sent.len() - new);
    for alert in marked().filter_map(|sent| sent.alert) {
        event::warn_of(&stored.payment.key(), alert);
    }
    marked().map(|sent| sent.kind).collect()
}

/// Sends what a queue wants of some events, the first time or as a repeat of some name.
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
