//! The status of a refund.

use serde::{Deserialize, Serialize};

/// The status of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Requested, without a result; reserved.
    Pending,
    /// It is unknown whether the platform accepted it; reserved.
    Unknown,
    /// The money was refunded.
    Succeeded,
    /// The money was not refunded; the reservation ended.
    Declined,
    /// The bank or the platform took the refund back. It counts no longer.
    Returned,
}

impl RefundStatus {
    /// Whether money is reserved for it.
    pub fn is_reserved(self) -> bool {
        matches!(self, RefundStatus::Pending | RefundStatus::Unknown)
    }

    /// Whether the money was refunded, returned later or not.
    pub(crate) fn has_succeeded(self) -> bool {
        matches!(self, RefundStatus::Succeeded | RefundStatus::Returned)
    }
}
