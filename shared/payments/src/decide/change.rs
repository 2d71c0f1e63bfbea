//! Defines the result of applying a fact or running a command.

use crate::events::Event;
use crate::model::Payment;

/// A payment after a fact or a command, and the events of the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The payment after the change.
    pub payment: Payment,
    /// The events of the change, in order.
    pub events: Vec<Event>,
}
