//! Decides which operations a payment stores, and which of these operations keep their details
//! (`shared/decisions/state/0037-largest-payment.md`).
//!
//! A payment is one item of the store, and an item has at most 400 KB. Three limits depend only on the ids and types of
//! the operations: `MAX_OPERATIONS`, `MAX_DETAILED` and `MAX_ID_BYTES`. For these limits, the order of the reports does
//! not matter.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::operation::Operation;
use super::report_source::Source;
use crate::model::payment::Payment;
use crate::model::quarantine::QuarantineItem;
use crate::model::serde_skip::is_default;

/// The maximum number of operations that a payment stores. The last operations by [`position`] are not stored.
pub(crate) const MAX_OPERATIONS: usize = 2_000;
/// The maximum number of operations that keep their details.
pub(crate) const MAX_DETAILED: usize = 200;
/// The maximum estimated size of the operations with details, in bytes.
const MAX_DETAILED_BYTES: usize = 80 * 1_024;
/// The maximum size of the ids of all stored operations, in bytes. The platform's ids are numbers, so even 2,000 ids
/// stay below this limit.
const MAX_ID_BYTES: usize = 48 * 1_024;
/// The maximum estimated size of the refunds, decisions, discrepancies and operations, in bytes. Only a payment with
/// hundreds of refunds of ours or with unusually long texts stores fewer than 2,000 operations because of this limit.
const MAX_BYTES: usize = 370 * 1_024;
/// An operation without details keeps its `payment.status` and `payment.sum` only if it is among this many oldest
/// operations that are not about a refund.
const MAX_DECIDING: usize = 50;

/// What is known about the operations that are not stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overflow {
    /// The greatest number of operations that the payment is known to have; 0 before an operation was removed.
    pub(super) operations: usize,
    /// The greatest amount of the successful refunds and reversals in a signed answer that lists more operations than
    /// are stored.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::model) refunded: u64,
    /// The greatest amount of the successful returns in a signed answer that lists more operations than are stored.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::model) returned: u64,
}

/// Returns the position of an operation. Operations that are not about a refund come before all others. Within each of
/// these groups, older operations come first: the platform numbers its operations in ascending order.
fn position<'a>(id: &'a str, operation: &Operation) -> (bool, usize, &'a str) {
    (operation.kind().is_about_refund(), id.len(), id)
}

impl Payment {
    /// Removes the operations that do not fit into the payment, and the details that do not fit. Returns whether an
    /// operation was removed.
    pub(super) fn limit_operations(&mut self) -> bool {
        let is_removed = self.remove_excess_operations();
        let operations = &self.reported.operations;
        let mut positions: Vec<_> = operations
            .iter()
            .map(|(id, operation)| position(id, operation))
            .collect();
        positions.sort_unstable();
        let others = positions.iter().filter(|(is_refund, ..)| !is_refund);
        let deciding = others.take(MAX_DECIDING);
        let deciding: BTreeSet<String> = deciding.map(|(.., id)| (*id).to_owned()).collect();
        // Operations that are not about a refund are the first to keep their details. Within each group, the newest
        // operations are the first.
        positions
            .sort_unstable_by_key(|(is_refund, length, id)| (*is_refund, Reverse((*length, *id))));
        let mut bytes = 0;
        let is_reduced = |(index, (.., id)): (usize, &(bool, usize, &str))| {
            let operation = operations.get(*id)?;
            bytes += id.len() + operation.stored_bytes();
            (index >= MAX_DETAILED || bytes > MAX_DETAILED_BYTES).then(|| (*id).to_owned())
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
        self.remove_excess_bytes() || is_removed
    }

    /// Removes the last operations by position, until the estimated size is at most `MAX_BYTES`. Returns whether an
    /// operation was removed.
    fn remove_excess_bytes(&mut self) -> bool {
        let mut bytes = self.other_bytes();
        let mut positions = self.positions();
        positions.sort_unstable();
        let fits = |(is_refund, _, id): &(bool, usize, &str)| {
            let operation = self.reported.operations.get(*id);
            // An external refund is stored twice: as an operation and as a refund.
            let refund = if *is_refund { id.len() + 45 } else { 0 };
            bytes += id.len() + 6 + refund + operation.map_or(0, Operation::stored_bytes);
            bytes <= MAX_BYTES
        };
        let stored = positions.iter().map(fits).take_while(|fits| *fits).count();
        self.remove_from(stored)
    }

    /// Returns the estimated size of the refunds of ours, the decisions and the discrepancies, in bytes.
    fn other_bytes(&self) -> usize {
        let refunds = self
            .refunds
            .iter()
            .filter(|refund| refund.refund_id().is_some());
        let refunds = refunds.map(|refund| match refund.status().is_reserved() {
            true => 500 + refund.description().map_or(0, |text| text.as_str().len()),
            false => 180,
        });
        let items = self.decisions.iter().flat_map(|decision| &decision.items);
        let items = items.map(QuarantineItem::stored_bytes);
        refunds.sum::<usize>() + items.sum::<usize>() + self.discrepancies.stored_bytes()
    }

    fn positions(&self) -> Vec<(bool, usize, &str)> {
        let operations = self.reported.operations.iter();
        operations
            .map(|(id, operation)| position(id, operation))
            .collect()
    }

    /// Keeps the first operations by position, and removes all others. `stored` is the number of operations that are
    /// kept. Returns whether an operation was removed.
    fn remove_from(&mut self, stored: usize) -> bool {
        let mut positions = self.positions();
        positions.sort_unstable();
        let removed = positions.iter().skip(stored);
        let removed: Vec<String> = removed.map(|(.., id)| (*id).to_owned()).collect();
        for id in &removed {
            self.reported.operations.remove(id);
        }
        if !removed.is_empty() {
            let overflow = &mut self.reported.overflow;
            overflow.operations = overflow.operations.max(stored + 1);
        }
        !removed.is_empty()
    }

    fn remove_excess_operations(&mut self) -> bool {
        let operations = &self.reported.operations;
        let id_bytes: usize = operations.keys().map(String::len).sum();
        if operations.len() <= MAX_OPERATIONS && id_bytes <= MAX_ID_BYTES {
            return false;
        }
        let mut positions = self.positions();
        positions.sort_unstable();
        let mut bytes = 0;
        let fits = |(index, (.., id)): (usize, &(bool, usize, &str))| {
            bytes += id.len();
            index < MAX_OPERATIONS && bytes <= MAX_ID_BYTES
        };
        let stored = positions
            .iter()
            .enumerate()
            .map(fits)
            .take_while(|fits| *fits)
            .count();
        self.remove_from(stored)
    }

    /// Records the refunded and the returned amount in a signed answer that lists more operations than are stored.
    /// These amounts include the operations that are not stored.
    pub(super) fn add_totals(&mut self, source: &Source<'_>) {
        let listed = source.report.operations.len();
        let is_complete = listed <= self.reported.operations.len();
        if !source.is_answer || is_complete || self.reported.overflow == Overflow::default() {
            return;
        }
        let currency = self.currency().map(str::to_owned);
        let (refunded, returned) = source.amounts_about_refunds(currency.as_deref());
        let overflow = &mut self.reported.overflow;
        overflow.operations = overflow.operations.max(listed);
        overflow.refunded = overflow.refunded.max(refunded);
        overflow.returned = overflow.returned.max(returned);
    }

    /// Returns the greatest number of operations that the payment is known to have; 0 before an operation was removed.
    pub fn excess_operations(&self) -> usize {
        self.reported.overflow.operations
    }
}
