//! Defines the status of a refund.

use serde::{Deserialize, Serialize};

/// The status of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// The refund has no result yet. Its amount is reserved.
    Pending,
    /// It is unknown whether the platform makes the refund. The amount is reserved.
    Unknown,
    /// The money was refunded.
    Succeeded,
    /// The money was not refunded. The amount is no longer reserved.
    Declined,
    /// The bank or the platform took the whole refund back.
    Returned,
}

impl RefundStatus {
    /// Whether money is reserved for the refund.
    pub fn is_reserved(self) -> bool {
        matches!(self, RefundStatus::Pending | RefundStatus::Unknown)
    }

    /// Whether the money was refunded, even if it was returned later.
    pub(crate) fn has_succeeded(self) -> bool {
        matches!(self, RefundStatus::Succeeded | RefundStatus::Returned)
    }
}
