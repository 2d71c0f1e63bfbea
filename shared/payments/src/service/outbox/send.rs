//! Sends stored events to the queues, and marks them as published.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::read_events::{PAGE, read_events};
use crate::events::metrics::{self, Alert};
use crate::events::{Event, EventKind};
use crate::model::Payment;
use crate::ports::{EventQueue, PaymentStore, SendError, StoreError, Stored};
use crate::service::error::PublishError;

/// A page of events that every queue has accepted.
#[derive(Debug)]
pub(super) struct Page {
    /// The number of the last event of the page.
    end: u64,
    /// The events that could be read.
    sent: Vec<Sent>,
}

#[derive(Debug)]
struct Sent {
    sequence: u64,
    kind: EventKind,
    alerts: Vec<Alert>,
}

impl Page {
    pub(super) fn has(&self, kind: EventKind) -> bool {
        self.sent.iter().any(|sent| sent.kind == kind)
    }
}

pub(super) fn page_end(stored: &Stored) -> u64 {
    let last = stored.published.saturating_add(PAGE);
    last.min(stored.payment.sequence())
}

/// Sends the next page of unpublished events to every queue that receives their types, without marking them as
/// published. `fresh` has events that were just committed. If it has the whole page, nothing is read from the store.
pub(super) async fn send<S: PaymentStore, Q: EventQueue>(
    store: &S,
    queues: &[Q],
    stored: &Stored,
    fresh: &[Event],
) -> Result<Page, PublishError> {
    let (first, end) = (stored.published.saturating_add(1), page_end(stored));
    let start = fresh.partition_point(|event| event.sequence < first);
    let stop = fresh.partition_point(|event| event.sequence <= end);
    let known = fresh.get(start..stop).unwrap_or_default();
    let loaded;
    let events = if known.iter().map(|event| event.sequence).eq(first..=end) {
        known
    } else {
        let read = read_events(store, &stored.payment.key(), first, end).await?;
        let found = read.events.len();
        let numbers = read.events.iter().map(|event| event.sequence);
        let stored: BTreeSet<u64> = numbers.chain(read.unreadable).collect();
        if !stored.into_iter().eq(first..=end) {
            return Err(PublishError::Missing {
                first,
                last: end,
                found,
            });
        }
        loaded = read.events;
        &loaded
    };
    send_to_all(queues, &stored.payment, events, None).await?;
    let sent = |event: &Event| Sent {
        sequence: event.sequence,
        kind: event.kind,
        alerts: metrics::alerts(event),
    };
    Ok(Page {
        end,
        sent: events.iter().map(sent).collect(),
    })
}

/// Sends events of a payment, in order, to every queue that receives their types. `repeat` names a deliberate repeat of
/// the events.
pub(super) async fn send_to_all<Q: EventQueue>(
    queues: &[Q],
    payment: &Payment,
    events: &[Event],
    repeat: Option<&str>,
) -> Result<(), SendError> {
    let storefront = payment.order().map(|order| order.storefront.as_str());
    let sends = queues
        .iter()
        .map(|queue| send_in_order(queue, storefront, events, repeat));
    // If one queue fails, the other queues still receive the events.
    join_all(sends).await.into_iter().collect()
}

async fn send_in_order<Q: EventQueue>(
    queue: &Q,
    storefront: Option<&str>,
    events: &[Event],
    repeat: Option<&str>,
) -> Result<(), SendError> {
    for event in events.iter().filter(|event| queue.wants(event.kind)) {
        queue.send(event, storefront, repeat).await?;
    }
    Ok(())
}

/// Marks a page of events as published, and logs their alerts. Returns the kinds of the events that this call marked.
/// If two calls publish the same event in parallel, only one marks it.
pub(super) async fn mark<S: PaymentStore>(
    store: &S,
    stored: &mut Stored,
    page: &Page,
) -> Result<Vec<EventKind>, StoreError> {
    let key = stored.payment.key();
    let before = store.mark_published(&key, page.end).await?;
    stored.published = stored.published.max(page.end);
    let marked = || page.sent.iter().filter(|sent| sent.sequence > before);
    for alert in marked().flat_map(|sent| &sent.alerts) {
        metrics::log_alert(&key, alert);
    }
    Ok(marked().map(|sent| sent.kind).collect())
}
