//! Counts differences.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::model::{Discrepancy, DiscrepancyKind};

/// The number of new differences, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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
