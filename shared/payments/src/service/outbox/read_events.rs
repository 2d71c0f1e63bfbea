//! Reads stored events, and passes over the events that cannot be read.

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

/// Reads the events with the sequence numbers `from` to `to`, both included. If an event cannot be read, reads the
/// events one by one, so that the unreadable event does not hide the other events.
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
