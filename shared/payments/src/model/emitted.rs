//! Records what the last events said. Because of this record, each outcome is emitted once, and the last event agrees
//! with the state.

use serde::{Deserialize, Serialize};

use super::refunds::refund_status::RefundStatus;
use super::serde_skip::is_default;
use super::status::Status;

/// What the events of the current attempt said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emitted {
    /// The last event about the payment itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<EmittedState>,
    /// An event said `declined` or `failed`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) unsuccessful: bool,
    /// An event said that the payment is paid, and no later event corrected that event.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) success: bool,
    /// An event corrected an emitted success, and no later event said that the payment is paid.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) success_withdrawn: bool,
    /// The refunded amount in the last `payment.overrefunded`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) overrefunded: u64,
}

/// What the last event said about the payment itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmittedState {
    pub(crate) status: Status,
    pub(crate) paid_amount: u64,
    /// The digest of the quarantine items, of which there can be thousands; `None` if there were no items.
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
    /// An event said `declined`, and no later event corrected that event.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) declined: bool,
}
