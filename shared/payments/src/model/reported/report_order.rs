//! The order of reports in time.

use serde::{Deserialize, Serialize};

use crate::model::timestamp::Timestamp;

/// When a report was made; the greater one is newer: `operation.date`, `payment.date`, the start of its canonical string's digest.
/// The dates have whole seconds, so the digest decides between two reports of one second, the same
/// way in whatever order they arrive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReportOrder(
    pub(in crate::model) String,
    pub(in crate::model) String,
    pub(in crate::model) String,
);

impl ReportOrder {
    /// `digest`: the start of the digest of the report's canonical string.
    pub(crate) fn new(operation_date: &str, payment_date: &str, digest: &str) -> Self {
        Self(operation_date.into(), payment_date.into(), digest.into())
    }

    pub(in crate::model) fn dates(&self) -> (&str, &str) {
        (&self.0, &self.1)
    }

    /// `operation.date`, by the platform's clock; `None` if it cannot be read.
    pub(crate) fn operation_date(&self) -> Option<Timestamp> {
        Timestamp::of_platform(&self.0)
    }
}
