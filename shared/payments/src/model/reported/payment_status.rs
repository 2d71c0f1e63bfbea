//! Defines the `payment.status` that decides whether the money of a sale counts.

use ecommpay::operation::{OperationType, Outcome};
use serde::{Deserialize, Serialize};

use crate::model::serde_skip::is_default;
use crate::model::timestamp::Timestamp;

/// `payment.status` with the dates of its report. The newest status is the greatest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PaymentStatus {
    pub(super) operation_date: String,
    pub(super) payment_date: String,
    /// Whether the report is a signed answer.
    pub(in crate::model) signed: bool,
    /// Whether the report has a confirmation. At the same dates, such a report is newer, because the confirmation
    /// follows the sale.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) has_confirmation: bool,
    /// Orders statuses with the same dates; see [`stage`].
    pub(super) stage: u8,
    pub(super) status: String,
}

impl PaymentStatus {
    pub(super) fn edit_dates(&mut self, edit: impl Fn(&mut String)) {
        edit(&mut self.operation_date);
        edit(&mut self.payment_date);
    }

    /// Returns the later date of the report.
    pub(in crate::model) fn time(&self) -> Option<Timestamp> {
        let dates = [&self.operation_date, &self.payment_date].into_iter();
        dates.filter_map(|date| Timestamp::of_platform(date)).max()
    }

    /// Returns the status in the platform's spelling.
    pub fn as_str(&self) -> &str {
        &self.status
    }
}

/// Returns a number that orders statuses with the same dates, because dates have whole seconds. The greater number is
/// newer.
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

pub(in crate::model) fn is_intermediate(status: &str) -> bool {
    stage(status) < 2
}

/// Whether a pending refund can cause this `payment.status`, although the payment is paid.
pub(super) fn may_follow_pending_refund(status: &str) -> bool {
    is_intermediate(status) && !status.is_empty() && status != "awaiting confirmation"
}

pub(super) fn is_sale_or_confirmation(kind: &OperationType) -> bool {
    matches!(kind, OperationType::Sale | OperationType::Confirmation)
}
