//! Defines the result of a part of a run.

use serde::{Deserialize, Serialize};

use crate::ports::Part;
use crate::service::reconcile::Differences;
use crate::service::report::Totals;

/// The result of a part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartResult {
    /// The parts that replace the rest of the part.
    pub next: Vec<Part>,
    /// Whether it is not known what the platform lists for the part.
    pub is_skipped: bool,
    /// What the part has counted.
    pub counts: Counts,
}

/// The counts of a part or of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// The number of listed operations that were compared. An operation that ended in the last second of a slice can be
    /// listed, and counted, with the next slice too.
    pub compared: u64,
    /// The new differences.
    pub differences: Differences,
    /// How often data in the platform's lists could not be used. Counts operations with an invalid id or an
    /// undocumented status, lists that were too large, and slices that still failed three days after their end.
    pub unreadable: u64,
    /// The totals of the report.
    pub totals: Totals,
}

impl PartResult {
    /// Creates the result of a part that is replaced by other parts.
    pub(crate) fn replaced_by(next: Vec<Part>) -> Self {
        Self {
            next,
            ..Self::default()
        }
    }

    /// Creates the result of a list that cannot be used.
    pub(crate) fn skipped() -> Self {
        Self {
            is_skipped: true,
            counts: Counts {
                unreadable: 1,
                ..Counts::default()
            },
            ..Self::default()
        }
    }
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.compared += other.compared;
        self.differences += other.differences;
        self.unreadable += other.unreadable;
        self.totals.add_all(&other.totals);
    }
}
