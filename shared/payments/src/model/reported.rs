//! Everything that the platform reported of a payment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sums::PaymentSums;
use super::{Operation, is_zero};

/// Everything that the platform reported of a payment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// The operations by `operation.id`.
    pub(super) operations: BTreeMap<String, Operation>,
    /// The newest `payment.status` of any report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<PlatformStatus>,
    /// What reports say of `payment.sum`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) sums: PaymentSums,
    /// It is a payment link made in the Dashboard.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) is_link: bool,
    /// Errors reported of requests, by `request_id`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) request_errors: BTreeMap<String, String>,
}

/// The newest `payment.status`, for display; what it means for the money is kept with the operations.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlatformStatus {
    /// `operation.date`, else `payment.date`. Refunds leave `payment.date` as it was.
    pub(super) date: String,
    /// Dates have whole seconds; within one, this orders the statuses.
    pub(super) stage: u8,
    /// The raw status.
    pub(super) status: String,
}

impl PlatformStatus {
    /// The raw status.
    pub fn as_str(&self) -> &str {
        &self.status
    }
}
