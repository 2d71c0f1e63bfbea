//! Defines the order of reports in time.

use serde::{Deserialize, Serialize};

use super::compact::normal_date;
use crate::model::timestamp::Timestamp;

/// The age of a report; the report with the greater value is newer. The value consists of `operation.date`,
/// `payment.date`, and the start of the digest of the canonical string. The dates have whole seconds, so two reports
/// can have the same dates. Then the digest orders the reports, in whatever order they arrive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReportOrder(String, String, String);

impl ReportOrder {
    pub(super) fn new(operation_date: &str, payment_date: &str, digest: &str) -> Self {
        Self(operation_date.into(), payment_date.into(), digest.into())
    }

    /// Returns `operation.date` and `payment.date`.
    pub(crate) fn dates(&self) -> (&str, &str) {
        (&self.0, &self.1)
    }

    /// Whether the order has no digest.
    pub(super) fn has_no_digest(&self) -> bool {
        self.2.is_empty()
    }

    /// Drops the digest and converts the dates to UTC.
    pub(super) fn reduce(&mut self) {
        *self = Self(normal_date(&self.0), normal_date(&self.1), String::new());
    }

    /// Returns the size of the dates and the digest, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.0.len() + self.1.len() + self.2.len()
    }

    /// Returns the time of `operation.date`, by the platform's clock; `None` if the date cannot be parsed.
    pub(super) fn operation_time(&self) -> Option<Timestamp> {
        Timestamp::of_platform(&self.0)
    }
}
