//! Decides which operations a payment stores, and which of these operations keep their details
//! (`shared/decisions/state/0037-largest-payment.md`).
//!
//! A payment is one item of the store, which has at most 400 KB. If a payment has more operations than it can store, the
//! operations with the greatest ids are removed. The totals of all operations stay.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::compact::stored_length;
use super::operation::Operation;
use super::report_source::SignedReport;
use crate::json_text::to_json_string;
use crate::model::payment::Payment;
use crate::model::serde_skip::is_default;
use crate::sha256;

/// The maximum number of operations that a payment stores. A payment with more operations keeps the first by the order in
/// `remove_operations`.
pub(crate) const MAX_OPERATIONS: usize = 2_000;
/// The maximum number of operations that keep their details.
pub(crate) const MAX_DETAILED: usize = 200;
/// The maximum size of the operations with details, in bytes.
const MAX_DETAILED_BYTES: usize = 80 * 1_024;
/// The maximum size of the ids of all stored operations, in bytes. The platform's ids are numbers, so even 2,000 ids
/// stay below this limit.
const MAX_ID_BYTES: usize = 48 * 1_024;
/// The maximum size of a payment as JSON, in bytes. The keys of the item and of its indexes need the rest of 400 KB.
const MAX_BYTES: usize = 370 * 1_024;
/// A payment with at most this many operations and refunds is always smaller than [`MAX_BYTES`], so it is not measured.
const MAX_ELEMENTS: usize = 100;
/// The assumed size of a removed operation with its external refund, in bytes. It is greater than the real size, so a
/// payment loses few operations that would fit; several removals can be necessary.
const BYTES_OF_OPERATION: usize = 400;
/// An operation without details keeps its `payment.status` and `payment.sum` only if it is among this many oldest
/// operations that are not about a refund.
const MAX_DECIDING: usize = 50;

/// What is known about the operations that are not stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overflow {
    /// The greatest number of operations that the payment is known to have; 0 before an operation was removed.
    pub(super) operations: usize,
    /// The greatest known amount of the successful refunds and reversals, with those that are not stored.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::model) refunded: u64,
    /// The greatest known amount of the successful returns, with those that are not stored.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::model) returned: u64,
    /// The digest of the last callback about an operation that was removed, so that a repeat changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_callback: Option<String>,
}

impl Payment {
    /// Removes the operations beyond the maximum number, and drops the details of all but the newest operations. Returns
    /// whether at least one operation was removed.
    pub(in crate::model) fn limit_operations(&mut self) -> bool {
        let ids = self.reported.operations.keys();
        let id_bytes: usize = ids.map(String::len).sum();
        let is_removed =
            (self.reported.operations.len() > MAX_OPERATIONS || id_bytes > MAX_ID_BYTES) && {
                let mut bytes = 0;
                self.remove_operations(|index, id| {
                    bytes += id.len();
                    index >= MAX_OPERATIONS || bytes > MAX_ID_BYTES
                })
            };
        self.limit_details();
        is_removed
    }

    /// Removes the last operations if the payment does not fit into an item. Returns whether at least one operation was
    /// removed. After a removal, the refunds must be updated, and the payment can still be too large.
    pub(in crate::model) fn remove_excess_bytes(&mut self) -> bool {
        let operations = self.reported.operations.len();
        if operations + self.refunds.len() <= MAX_ELEMENTS {
            return false;
        }
        let excess = to_json_string(self).len().saturating_sub(MAX_BYTES);
        let stored = operations.saturating_sub(excess.div_ceil(BYTES_OF_OPERATION));
        excess > 0 && self.remove_operations(|index, _| index >= stored)
    }

    /// Puts the operations in order, and removes the first operation for which `is_excess` returns true and all operations
    /// after it. `is_excess` receives the index and the id. The order is: operations that are not about a refund,
    /// operations about refunds of ours, all other operations; within each group the shorter ids are first, because
    /// the platform numbers its operations in ascending order.
    fn remove_operations(&mut self, mut is_excess: impl FnMut(usize, &str) -> bool) -> bool {
        let own = self.operations_of_own_refunds();
        let operations = self.reported.operations.iter();
        let mut positions: Vec<_> = operations
            .map(|(id, operation)| {
                let is_about_refund = operation.kind().is_about_refund();
                (is_about_refund, !own.contains(id), id.len(), id.clone())
            })
            .collect();
        positions.sort_unstable();
        let mut removed = positions.into_iter().map(|(.., id)| id).enumerate();
        let Some((_, first)) = removed.find(|(index, id)| is_excess(*index, id)) else {
            return false;
        };
        let (refunded, returned) = (self.refunds_and_reversals(), self.all_returned());
        let overflow = &mut self.reported.overflow;
        overflow.operations = overflow.operations.max(self.reported.operations.len());
        overflow.refunded = overflow.refunded.max(refunded);
        overflow.returned = overflow.returned.max(returned);
        for id in removed.map(|(_, id)| id).chain([first]) {
            self.reported.operations.remove(&id);
        }
        true
    }

    /// Drops the details of all but the newest operations. An operation that is not about a refund keeps its details
    /// before every operation that is about a refund.
    fn limit_details(&mut self) {
        let operations = &self.reported.operations;
        let length = |id: &str, operation: &Operation| id.len() + stored_length(operation);
        let lengths = operations
            .iter()
            .map(|(id, operation)| length(id, operation));
        if operations.len() <= MAX_DETAILED && lengths.sum::<usize>() <= MAX_DETAILED_BYTES {
            return;
        }
        let mut positions: Vec<_> = operations
            .iter()
            .map(|(id, operation)| (operation.kind().is_about_refund(), id.len(), id))
            .collect();
        positions.sort_unstable();
        let others = positions.iter().filter(|(is_refund, ..)| !is_refund);
        let deciding = others.take(MAX_DECIDING);
        let deciding: BTreeSet<String> = deciding.map(|(.., id)| (*id).clone()).collect();
        positions
            .sort_unstable_by_key(|(is_refund, length, id)| (*is_refund, Reverse((*length, *id))));
        let mut bytes = 0;
        let is_reduced = |(index, (.., id)): (usize, &(bool, usize, &String))| {
            bytes += length(id, operations.get(*id)?);
            (index >= MAX_DETAILED || bytes > MAX_DETAILED_BYTES).then(|| (*id).clone())
        };
        let reduced: Vec<String> = positions
            .iter()
            .enumerate()
            .filter_map(is_reduced)
            .collect();
        for id in reduced {
            let is_deciding = deciding.contains(&id);
            if let Some(operation) = self.reported.operations.get_mut(&id) {
                operation.reduce(is_deciding);
            }
        }
    }

    /// Forgets the totals of earlier reports before a signed answer is added, because the answer lists all operations. An
    /// answer with fewer operations than are known is older, and changes no total.
    pub(super) fn reset_totals(&mut self, listed: usize) {
        let overflow = &mut self.reported.overflow;
        if listed >= overflow.operations {
            (overflow.refunded, overflow.returned) = (0, 0);
        }
    }

    /// Records a callback about an operation that was removed. Returns false if the last such callback was the same.
    pub(crate) fn record_removal(&mut self, callback: SignedReport<'_>) -> bool {
        let digest = sha256::start_of_hex(callback.canonical.as_bytes(), 16);
        let last = &mut self.reported.overflow.last_callback;
        last.replace(digest.clone()) != Some(digest)
    }

    /// Returns the greatest number of operations that the payment is known to have; 0 before an operation was removed.
    pub fn most_known_operations(&self) -> usize {
        self.reported.overflow.operations
    }
}
