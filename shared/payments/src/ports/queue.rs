//! Defines the queues to which events are published.

use std::future::Future;

use thiserror::Error;

use crate::events::{Event, EventKind};

/// The error of a send: the queue did not accept the event, or the queue's answer was lost. The send may be repeated.
#[derive(Debug, Error)]
#[error("a queue did not accept an event: {0}")]
pub struct SendError(pub String);

/// A FIFO queue of events.
///
/// A queue delivers an accepted event at least once. The events of one payment are delivered in the order in which
/// the queue accepted them.
pub trait EventQueue {
    /// Whether this queue receives events of this kind.
    fn wants(&self, kind: EventKind) -> bool;

    /// Sends one event. Within five minutes, the queue drops a second copy of the same event with the same `repeat`.
    /// To deliver an event again on purpose, the caller passes a new name as `repeat`.
    fn send(
        &self,
        event: &Event,
        repeat: Option<&str>,
    ) -> impl Future<Output = Result<(), SendError>> + Send;
}
