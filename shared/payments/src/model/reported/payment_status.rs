//! Defines the `payment.status` that decides whether the money of a sale counts.

use ecommpay::operation::{OperationType, Outcome};
use serde::{Deserialize, Serialize};

use crate::model::serde_skip::is_default;

/// `payment.status` with the dates of its report. The greatest value is the newest status.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PaymentStatus {
    pub(super) operation_date: String,
    pub(super) payment_date: String,
    /// Whether the report is a signed status answer.
    pub(in crate::model) signed: bool,
    /// Whether the report has a confirmation. If two reports from the same source have the same dates, the report with
    /// a confirmation is newer. The confirmation follows the sale.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) has_confirmation: bool,
    /// The order of statuses with the same dates; see [`stage`].
    pub(super) stage: u8,
    /// The status in the platform's spelling.
    pub(super) status: String,
}

impl PaymentStatus {
    /// Returns the status in the platform's spelling.
    pub fn as_str(&self) -> &str {
        &self.status
    }
}

/// Returns a number that orders statuses with the same dates; the greater number is newer. Dates have whole seconds, so
/// two reports can have the same dates.
pub(super) fn stage(status: &str) -> u8 {
    match status {
        "refunded" | "reversed" => 5,
        "partially refunded" | "partially reversed" => 4,
        "awaiting confirmation" => 1,
        other => match Outcome::of_status(other) {
            Outcome::Succeeded => 3,
            Outcome::Declined => 2,
            Outcome::Pending => 0,
        },
    }
}

/// Whether this status says that the payment is still in progress.
pub(super) fn is_intermediate(status: &str) -> bool {
    stage(status) < 2
}

/// Whether operations of this type decide whether the money of a sale counts.
pub(super) fn is_sale_or_confirmation(kind: &OperationType) -> bool {
    matches!(kind, OperationType::Sale | OperationType::Confirmation)
}
