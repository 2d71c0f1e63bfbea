//! Defines the order of reports in time.

use serde::{Deserialize, Serialize};

use super::compact::normal_date;
use crate::model::timestamp::Timestamp;

/// The age of a report; the newer report is greater. The parts are `operation.date`, `payment.date`, and the start of
/// the digest of the canonical string. Dates have whole seconds, so the digest orders reports with the same dates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReportOrder(String, String, String);

impl ReportOrder {
    pub(super) fn new(operation_date: &str, payment_date: &str, digest: &str) -> Self {
        Self(operation_date.into(), payment_date.into(), digest.into())
    }

    pub(crate) fn dates(&self) -> (&str, &str) {
        (&self.0, &self.1)
    }

    pub(super) fn has_no_digest(&self) -> bool {
        self.2.is_empty()
    }

    /// Drops the digest and converts the dates to UTC.
    pub(super) fn reduce(&mut self) {
        *self = Self(normal_date(&self.0), normal_date(&self.1), String::new());
    }

    pub(super) fn edit_dates(&mut self, edit: impl Fn(&mut String)) {
        edit(&mut self.0);
        edit(&mut self.1);
    }

    /// Returns `operation.date` as a time on the platform's clock; `None` if the date is invalid.
    pub(super) fn operation_time(&self) -> Option<Timestamp> {
        Timestamp::of_platform(&self.0)
    }
}
