//! Holds everything that the platform reported about a payment. Each file has the rules of one part.

mod add_report;
pub(crate) mod capacity;
pub(in crate::model) mod compact;
pub mod evidence;
pub mod future_dates;
pub mod newest_answer;
pub mod operation;
pub mod operation_report;
mod operation_sums;
pub mod payment_status;
pub(crate) mod payment_sums;
mod received_sum;
pub(crate) mod report_limits;
pub mod report_order;
pub(crate) mod report_source;
pub(crate) mod reported_sums;
pub(crate) mod request_error;
pub(in crate::model) mod request_ids;
pub(in crate::model) mod texts;
pub mod waiting;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::capacity::Overflow;
use self::future_dates::FutureDates;
use self::newest_answer::NewestAnswer;
use self::operation::Operation;
use self::payment_sums::PaymentSums;
use super::serde_skip::is_default;

/// Everything that the platform reported about a payment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    #[serde(with = "self::compact")]
    pub(super) operations: BTreeMap<String, Operation>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) overflow: Overflow,
    /// The newest `payment.status` of any report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<PlatformStatus>,
    #[serde(default, skip_serializing_if = "is_default")]
    sums: PaymentSums,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) newest_answer: Option<NewestAnswer>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) future_dates: FutureDates,
    /// Whether the payment is a Dashboard payment link.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) is_link: bool,
    /// Whether an error without a `request_id` said that the payment id exists already.
    #[serde(default, skip_serializing_if = "is_default")]
    is_id_duplicate: bool,
    /// The codes of failed sale or refund requests, by the platform's `request_id`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    request_errors: BTreeMap<String, String>,
}

/// The newest `payment.status`. It is displayed, and shows that a report has arrived. It decides nothing else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlatformStatus {
    /// The greatest `operation.date` of the report, or `payment.date` if no operation has a date. A refund does not
    /// change `payment.date`, so the operations have priority.
    date: String,
    /// Orders statuses with the same date, because dates have whole seconds. The greater stage is newer.
    stage: u8,
    status: String,
}

impl PlatformStatus {
    /// Returns the status in the platform's spelling.
    pub fn as_str(&self) -> &str {
        &self.status
    }
}
