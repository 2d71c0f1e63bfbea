//! Everything that the platform reported of a payment.

pub mod add_report;
pub mod operation;
pub mod operation_report;
pub mod payment_status;
pub mod report_order;
pub(crate) mod sums;
pub mod waiting;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::operation::Operation;
use self::sums::PaymentSums;
use super::is_zero;

/// Everything that the platform reported of a payment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// The operations by `operation.id`.
    pub(in crate::model) operations: BTreeMap<String, Operation>,
    /// The newest `payment.status` of any report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) status: Option<PlatformStatus>,
    /// What reports say of `payment.sum`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(in crate::model) sums: PaymentSums,
    /// It is a payment link made in the Dashboard.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(in crate::model) is_link: bool,
    /// Errors reported of requests, by `request_id`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::model) request_errors: BTreeMap<String, String>,
}

/// The newest `payment.status`, for display; what it means for the money is kept with the operations.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlatformStatus {
    /// `operation.date`, else `payment.date`. Refunds leave `payment.date` as it was.
    pub(in crate::model) date: String,
    /// Dates have whole seconds; within one, this orders the statuses.
    pub(in crate::model) stage: u8,
    /// The raw status.
    pub(in crate::model) status: String,
}

impl PlatformStatus {
    /// The raw status.
    pub fn as_str(&self) -> &str {
        &self.status
    }
}
