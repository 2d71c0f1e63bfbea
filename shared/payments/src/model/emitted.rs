//! Records what the last events said. An event is emitted only for a difference from this record, so each outcome is
//! emitted once.

use serde::{Deserialize, Serialize};

use super::refunds::refund_status::RefundStatus;
use super::serde_skip::is_default;
use super::status::Status;
use super::timestamp::Timestamp;

/// What the events of the current attempt said. `unsuccessful` and `overrefunded` also cover earlier attempts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emitted {
    /// What the last event about the payment itself said; `None` before the first event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<EmittedState>,
    /// Whether an event said `declined` or `failed`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) unsuccessful: bool,
    /// Whether an event said that the payment is paid, and no later event has corrected it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) success: bool,
    /// Whether an event corrected a success, and no later event said that the payment is paid.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) success_withdrawn: bool,
    /// Since when events show the payment as paid; `None` if events do not show this. A payment that is declined,
    /// quarantined or wholly refunded is not shown as paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) paid_since: Option<Timestamp>,
    /// The refunded amount in the last `payment.overrefunded`; 0 if there was no such event, or if its excess has
    /// ended.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) overrefunded: u64,
    /// The refunds in the last event of any type. `None` if no event was about a refund and the sums were 0, and if an
    /// earlier release wrote the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shown: Option<ShownRefunds>,
}

/// What an event of any type said about the refunds of the payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownRefunds {
    /// The sequence number of the event. If later events follow, an earlier release emitted them and did not store what
    /// they said.
    pub(crate) sequence: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) refunded_amount: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) pending_refund_amount: u64,
    /// Whether the status was `refunded`. Money in another currency does not count in the amounts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) is_fully_refunded: bool,
}

impl ShownRefunds {
    /// Whether a refund counts in the sums or in the status.
    pub(crate) fn has_amount(&self) -> bool {
        self.refunded_amount > 0 || self.pending_refund_amount > 0 || self.is_fully_refunded
    }
}

/// What the last event said about the payment itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmittedState {
    pub(crate) status: Status,
    pub(crate) paid_amount: u64,
    /// The digest of the quarantine items; `None` without items. There can be thousands of items, so only their digest
    /// is stored.
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
    /// Whether an event said `declined`, and no later event has corrected it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) declined: bool,
}
