//! Records what the last events said. A change emits an event only for a difference from this record, so each outcome
//! is emitted once.

use serde::{Deserialize, Serialize};

use super::refunds::refund_status::RefundStatus;
use super::serde_skip::is_default;
use super::status::Status;

/// What the events of the current attempt said. Only `unsuccessful` and `overrefunded` can be from an earlier attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emitted {
    /// What the last event about the payment itself said; `None` before the first event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<EmittedState>,
    /// Whether an event said `declined` or `failed`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) unsuccessful: bool,
    /// Whether an event said that the payment is paid, and no later event corrected that event.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) success: bool,
    /// Whether an event corrected an emitted success, and no later event said that the payment is paid.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) success_withdrawn: bool,
    /// The refunded amount in the last `payment.overrefunded`; 0 if there was no such event.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) overrefunded: u64,
}

/// What the last event said about the payment itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmittedState {
    pub(crate) status: Status,
    pub(crate) paid_amount: u64,
    /// The digest of the quarantine items, because there can be thousands of items; `None` if there were no items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) quarantine: Option<String>,
    /// The digest of the clarification request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) clarification: Option<String>,
}

/// What the last event said about a refund.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmittedRefund {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<RefundStatus>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) amount: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) returned_amount: u64,
    /// The digest of the clarification request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) clarification: Option<String>,
    /// Whether an event said `declined`, and no later event corrected that event.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) declined: bool,
}
