//! What was emitted last about a payment, so that each outcome is emitted once and the last event
//! agrees with the state.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{QuarantineItem, RefundStatus, Status, is_zero};

/// What was emitted of the open attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emitted {
    /// The last event about the payment itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<EmittedState>,
    /// An event said that the money will not come.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) end: bool,
    /// An event said that it is paid, and none has withdrawn that.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) success: bool,
    /// An event has withdrawn a success.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) success_withdrawn: bool,
    /// The refunded amount that an event reported as more than what was paid.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) overrefunded: u64,
}

/// What the last event said about the payment itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmittedState {
    pub(crate) status: Status,
    pub(crate) paid_amount: u64,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) quarantine: BTreeSet<QuarantineItem>,
    /// The digest of the clarification request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) clarification: Option<String>,
}

/// What the last event said about a refund.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmittedRefund {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<RefundStatus>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) amount: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) returned_amount: u64,
    /// The digest of the clarification request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) clarification: Option<String>,
    /// An event said that it was declined, and none has corrected that.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) declined: bool,
}
