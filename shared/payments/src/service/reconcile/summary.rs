//! Defines the result of a reconciliation run.

use std::fmt::Display;
use std::ops::AddAssign;

use serde::Serialize;

use crate::model::timestamp::Timestamp;
use crate::model::{Discrepancy, DiscrepancyKind};

/// The result of a reconciliation run of one project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// The number of listed operations that were compared.
    pub compared: u64,
    /// The new differences.
    #[serde(flatten)]
    pub differences: Differences,
    /// The number of parts of the platform's list that could not be used: operations with an invalid id or an
    /// undocumented status, lists that were too large, and slices that still failed three days after their end. An
    /// operation that two consecutive slices list is counted once.
    pub unreadable: u64,
    /// The number of failures: slices that could not be compared, and progress that could not be read or stored.
    pub failed: u64,
    /// `false` if the deadline came before every slice was compared. A run that ends after failures is in time.
    pub in_time: bool,
    /// The time up to which every slice was compared, or skipped because it still failed three days after its end.
    pub until: Timestamp,
    /// The first failure; `None` if nothing failed.
    pub failure: Option<String>,
}

/// The number of new differences, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Differences {
    /// Operations that only the platform has.
    pub missing_locally: u64,
    /// Operations that only we have.
    pub missing_at_platform: u64,
    /// Operations whose outcome differs.
    pub status: u64,
    /// Operations whose amount or currency differs.
    pub amount: u64,
}

impl Differences {
    pub(super) fn count(&mut self, discrepancy: &Discrepancy) {
        *match discrepancy.kind {
            DiscrepancyKind::MissingLocally => &mut self.missing_locally,
            DiscrepancyKind::MissingAtPlatform => &mut self.missing_at_platform,
            DiscrepancyKind::Status => &mut self.status,
            DiscrepancyKind::Amount => &mut self.amount,
        } += 1;
    }
}

impl AddAssign for Differences {
    fn add_assign(&mut self, other: Self) {
        self.missing_locally += other.missing_locally;
        self.missing_at_platform += other.missing_at_platform;
        self.status += other.status;
        self.amount += other.amount;
    }
}

impl Reconciled {
    /// Creates the result of a run that starts at `from` and has compared nothing yet.
    pub(super) fn starting_at(from: Timestamp) -> Self {
        Self {
            compared: 0,
            differences: Differences::default(),
            unreadable: 0,
            failed: 0,
            in_time: true,
            until: from,
            failure: None,
        }
    }

    /// Creates the result of a run that could not start.
    pub(super) fn failed(from: Timestamp, failure: impl Display) -> Self {
        let mut result = Self::starting_at(from);
        result.add_failure(failure);
        result
    }

    pub(super) fn add_failure(&mut self, failure: impl Display) {
        self.failed += 1;
        self.failure.get_or_insert_with(|| failure.to_string());
    }
}
