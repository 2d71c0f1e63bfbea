//! Defines the queues that events are published to.

use std::future::Future;

use thiserror::Error;

use crate::events::{Event, EventKind};

/// A queue did not accept an event, or the queue's answer was lost. The send may be repeated.
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

    /// Sends one event. The queue drops a second copy of the same event within five minutes, unless `repeat` is a
    /// new name.
    fn send(
        &self,
        event: &Event,
        repeat: Option<&str>,
    ) -> impl Future<Output = Result<(), SendError>> + Send;
}
