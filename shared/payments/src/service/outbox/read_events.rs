//! Reads stored events, and skips events that cannot be read.

use std::iter;

use crate::events::Event;
use crate::model::ids::PaymentKey;
use crate::ports::{PaymentStore, StoreError};

/// Stored events of a payment.
#[derive(Debug, Default)]
pub struct ReadEvents {
    /// The events that can be read, in order.
    pub events: Vec<Event>,
    /// The sequence numbers of the stored events that cannot be read.
    pub unreadable: Vec<u64>,
}

/// The maximum number of events that are read together. An event has at most 400 KB, so a page has at most 4 MB.
pub(super) const PAGE: u64 = 10;

/// Splits the event numbers `from` to `to` (both inclusive) into pages. Returns the first and last number of each
/// page.
pub fn pages(from: u64, to: u64) -> impl Iterator<Item = (u64, u64)> {
    let page = move |first: u64| (first, to.min(first.saturating_add(PAGE - 1)));
    let first = (from <= to).then(|| page(from));
    iter::successors(first, move |(_, end)| {
        (*end < to).then(|| page(end.saturating_add(1)))
    })
}

/// Reads one page of events ([`pages`]) with the numbers `from` to `to`, both inclusive. If an event cannot be read,
/// reads the events one by one.
pub async fn read_events<S: PaymentStore>(
    store: &S,
    key: &PaymentKey,
    from: u64,
    to: u64,
) -> Result<ReadEvents, StoreError> {
    if let Some(events) = StoreError::pass_over(store.events(key, from, to).await)? {
        return Ok(ReadEvents {
            events,
            unreadable: Vec::new(),
        });
    }
    let mut read = ReadEvents::default();
    for number in from..=to {
        match StoreError::pass_over(store.events(key, number, number).await)? {
            Some(events) => read.events.extend(events),
            None => read.unreadable.push(number),
        }
    }
    Ok(read)
}
