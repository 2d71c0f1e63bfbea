//! How many operations a payment stores, and which of them with details
//! (`shared/decisions/state/0037-largest-payment.md`).
//!
//! A payment is one item of the store, which has at most 400 KB. Which operations are stored, and which of them keep
//! their details, depends only on the ids and types of the operations, so the order of the reports does not matter.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::operation::Operation;
use super::report_source::Source;
use crate::model::payment::Payment;
use crate::model::quarantine::QuarantineItem;
use crate::model::serde_skip::is_default;

/// A payment stores at most this many operations.
pub(crate) const MAX_OPERATIONS: usize = 2_000;
/// At most this many operations keep their details.
pub(crate) const MAX_DETAILED: usize = 200;
/// The details of all operations together have at most about this many bytes.
const MAX_DETAILED_BYTES: usize = 80 * 1_024;
/// The ids of all stored operations together have at most this many bytes. The platform's ids are numbers.
const MAX_ID_BYTES: usize = 48 * 1_024;
/// The refunds, decisions, discrepancies and operations together have at most about this many bytes. Only a payment with
/// hundreds of refunds of ours has less than 2,000 operations because of this limit.
const MAX_BYTES: usize = 370 * 1_024;
/// At most this many operations that are not about a refund keep their `payment.status` and `payment.sum`.
const MAX_DECIDING: usize = 50;

/// What is known of the operations that are not stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overflow {
    /// The greatest known number of operations of the payment.
    pub(super) operations: usize,
    /// The greatest amount of the successful refunds and reversals in a signed answer with too many operations.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::model) refunded: u64,
    /// The greatest amount of the successful returns in such an answer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::model) returned: u64,
}

/// The position of an operation: operations that are not about a refund first, then the older ids. The platform numbers
/// its operations in ascending order.
fn position<'a>(id: &'a str, operation: &Operation) -> (bool, usize, &'a str) {
    (operation.kind().is_about_refund(), id.len(), id)
}

impl Payment {
    /// Removes the operations that do not fit, and the details of all but the newest operations. Returns whether an
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
        // The newest operations keep their details. Operations that are not about a refund are first.
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

    /// Removes the last operations if the payment would not fit into an item otherwise.
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

    /// Returns about how many bytes the other parts have whose size depends on the number of their elements.
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

    /// Removes the operations from this position on. Returns whether there was one.
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

    /// Records the amounts of a signed answer that lists more operations than are stored, because the amounts include
    /// the operations that are not stored.
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

    /// Returns the greatest known number of operations if it exceeds the number of stored operations; else 0.
    pub fn excess_operations(&self) -> usize {
        self.reported.overflow.operations
    }
}
