//! Defines the differences between the platform records (Data API) and our records.

pub(crate) mod compare;

use std::collections::BTreeSet;

use ecommpay::data_api::ListedOperation;
use serde::{Deserialize, Serialize};

use super::serde_skip::is_default;

/// The maximum number of discrepancies of a payment that are emitted. The number is limited, because the payment stores
/// a digest of each discrepancy. Further discrepancies are ignored.
const MAX_DISCREPANCIES: usize = 1_000;
/// The maximum number of discrepancies that wait for their events. A further discrepancy is dropped, and a later
/// comparison finds it again.
const MAX_PENDING: usize = 16;
/// The maximum length of a text in a discrepancy, in bytes. A longer text is cut.
const MAX_TEXT: usize = 255;

/// What the platform records say about an operation.
#[derive(Debug, Clone, Copy)]
pub enum PlatformRecord<'a> {
    /// The platform records list the operation.
    Listed(&'a ListedOperation),
    /// The platform records do not list the operation with this id.
    Missing(&'a str),
}

/// A difference between the platform records and our records about one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discrepancy {
    /// The id of the operation.
    pub operation_id: String,
    /// What differs.
    pub kind: DiscrepancyKind,
    /// The value in our records, if any.
    pub local: Option<Entry>,
    /// The value in the platform records, if any.
    pub platform: Option<Entry>,
}

/// What differs between the two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiscrepancyKind {
    /// Our records lack the operation.
    MissingLocally,
    /// The platform records lack the operation.
    MissingAtPlatform,
    /// The outcomes differ, or the operation ended in only one of the two records.
    Status,
    /// The amounts or the currencies differ.
    Amount,
}

/// A value in the records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Entry {
    /// An amount in minor units.
    Amount(u64),
    /// An id, a status, or an amount with its currency.
    Word(String),
}

impl Entry {
    fn text(text: &str) -> Self {
        let end = text.floor_char_boundary(MAX_TEXT);
        Self::Word(text.get(..end).unwrap_or_default().to_owned())
    }
}

/// The discrepancies of a payment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discrepancies {
    /// The digests of all discrepancies that were added. Each discrepancy is emitted once.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    known: BTreeSet<String>,
    /// The discrepancies that are not emitted yet.
    #[serde(default, skip_serializing_if = "is_default")]
    pending: Vec<Discrepancy>,
}

impl Discrepancies {
    fn contains(&self, digest: &str) -> bool {
        self.known.contains(digest)
    }

    /// Adds a discrepancy if there is room. Returns whether it was added.
    fn add(&mut self, discrepancy: Discrepancy, digest: String) -> bool {
        let has_room = self.known.len() < MAX_DISCREPANCIES && self.pending.len() < MAX_PENDING;
        if has_room {
            self.known.insert(digest);
            self.pending.push(discrepancy);
        }
        has_room
    }

    /// Removes and returns at most `max` discrepancies for their events.
    pub(crate) fn drain_pending(&mut self, max: usize) -> Vec<Discrepancy> {
        let max = max.min(self.pending.len());
        self.pending.drain(..max).collect()
    }
}
