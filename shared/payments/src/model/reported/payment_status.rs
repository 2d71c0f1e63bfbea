//! `payment.status`, as one report has it.

use ecommpay::operation::Outcome;
use serde::{Deserialize, Serialize};

use crate::model::is_zero;

/// `payment.status` with the dates of its report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PaymentStatus {
    /// `operation.date`.
    pub(in crate::model) operation_date: String,
    /// `payment.date`.
    pub(in crate::model) payment_date: String,
    /// Whether it came in a signed answer.
    pub(in crate::model) signed: bool,
    /// Dates have whole seconds; within one, a report that has a confirmation follows one that has
    /// only the sale.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(in crate::model) has_confirmation: bool,
    /// Orders the statuses of one second.
    pub(in crate::model) stage: u8,
    /// The raw status.
    pub(in crate::model) status: String,
}

impl PaymentStatus {
    pub(crate) fn new(
        operation_date: &str,
        payment_date: &str,
        status: &str,
        signed: bool,
        has_confirmation: bool,
    ) -> Self {
        Self {
            operation_date: operation_date.to_owned(),
            payment_date: payment_date.to_owned(),
            signed,
            has_confirmation,
            stage: stage(status),
            status: status.to_owned(),
        }
    }

    /// The raw status.
    pub fn as_str(&self) -> &str {
        &self.status
    }
}

/// Orders the statuses reported within one second.
pub(in crate::model) fn stage(status: &str) -> u8 {
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
