//! Defines the result of a fact or a command.

use crate::events::Event;
use crate::model::Payment;

/// A payment after a fact or a command, and the events of the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The payment after the change.
    pub payment: Payment,
    /// The events of the change, in the order of their numbers.
    pub events: Vec<Event>,
}
