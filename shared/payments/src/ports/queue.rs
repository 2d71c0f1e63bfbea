//! The queues that events are published to.

use std::future::Future;

use thiserror::Error;

use crate::events::{Event, EventKind};

/// A queue did not accept an event, or its answer was lost. The send may be repeated.
#[derive(Debug, Error)]
#[error("a queue did not accept an event: {0}")]
pub struct SendError(pub String);

/// A FIFO queue of events.
///
/// A queue delivers an accepted event at least once. It delivers the events of one payment in the order in
/// which it accepted them.
pub trait EventQueue {
    /// Whether this queue receives events of this kind.
    fn wants(&self, kind: EventKind) -> bool;

    /// Sends one event. The queue drops a second send of the same event within five minutes, unless it is a
    /// `repeat` with a new name.
    fn send(
        &self,
        event: &Event,
        repeat: Option<&str>,
    ) -> impl Future<Output = Result<(), SendError>> + Send;
}
