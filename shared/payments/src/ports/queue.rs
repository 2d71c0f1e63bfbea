//! Defines the queues to which events are published.

use std::future::Future;

use thiserror::Error;

use crate::events::{Event, EventKind};

/// The queue did not accept the event, or its answer was lost. The caller can send the event again.
#[derive(Debug, Error)]
#[error("a queue did not accept an event: {0}")]
pub struct SendError(pub String);

/// A FIFO queue of events.
///
/// An accepted event is delivered at least once. The events of one payment are delivered in the order in which the
/// queue accepted them.
pub trait EventQueue {
    /// Whether this queue receives events of this kind.
    fn wants(&self, kind: EventKind) -> bool;

    /// Sends one event. Within five minutes, the queue drops a copy with the same `repeat`. To deliver an event again
    /// on purpose, pass a new name as `repeat`. `storefront` is the storefront that created the payment.
    fn send(
        &self,
        event: &Event,
        storefront: Option<&str>,
        repeat: Option<&str>,
    ) -> impl Future<Output = Result<(), SendError>> + Send;
}
