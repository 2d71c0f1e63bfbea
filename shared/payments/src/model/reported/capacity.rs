//! Decides which operations a payment stores, and which of these operations keep their details
//! (`shared/decisions/state/0037-largest-payment.md`).
//!
//! A payment is one item of the store, which has at most 400 KB. If a payment has more operations than it can store,
//! the operations of the least importance are removed. The totals of all operations stay.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use ecommpay::operation::Outcome;
use serde::{Deserialize, Serialize};

use super::compact::stored_length;
use super::operation::Operation;
use super::report_source::SignedReport;
use crate::json_text::to_json_string;
use crate::model::payment::Payment;
use crate::model::serde_skip::is_default;
use crate::sha256;

/// The maximum number of operations that a payment stores. A payment with more operations keeps the most important
/// operations.
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
/// The assumed size of a removed operation with its external refund, in bytes. It is greater than the real size, so
/// that a removal removes too few operations rather than too many. The removal is then repeated.
const BYTES_OF_OPERATION: usize = 400;
/// The maximum number of operations that keep their `payment.status` and `payment.sum` without details: first the
/// oldest operations that decide money, then the oldest other operations that are not about a refund.
const MAX_DECIDING: usize = 50;
/// The operations that decide money can have this many bytes of a payment, in their stored form without details. Within
/// this limit, they are never removed because of the size of the payment. All other parts of a payment have limits that
/// leave this room.
const MAX_KEPT_BYTES: usize = 64 * 1_024;

/// How important it is to store an operation. The least important operations are removed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Importance {
    /// A successful sale, a confirmation, or a successful operation of undocumented type: it decides the money received.
    DecidesMoney,
    /// A pending sale of the current attempt.
    OpenSale,
    /// An operation about a refund that this service requested.
    OwnRefund,
    /// A successful refund, reversal or return that this service did not request.
    OtherRefund,
    /// A declined sale that ends the payment.
    FinalDecline,
    /// Any other pending operation.
    Pending,
    /// An operation that moves no money.
    NoMoney,
}

/// The groups of operations. The operations of an earlier group keep their details before those of a later group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum DetailGroup {
    /// Operations that decide money, and pending sales of the current attempt.
    Sale,
    Other,
    Refund,
}

/// The importance, the length of the id, and the id of an operation.
type Position = (Importance, usize, String);

/// Returns the importance of an operation that is neither about a sale's money nor about a refund of ours.
fn importance_of_other(operation: &Operation) -> Importance {
    match operation.outcome() {
        Outcome::Succeeded if operation.kind().is_about_refund() => Importance::OtherRefund,
        Outcome::Declined if operation.is_sale() && operation.ends_payment() => {
            Importance::FinalDecline
        }
        Outcome::Pending => Importance::Pending,
        _ => Importance::NoMoney,
    }
}

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

    /// Removes the least important operations if the payment does not fit into an item. An operation that decides
    /// money, or a pending sale of the current attempt, is removed only if no other operation is left. Even then, the
    /// first of these operations stay, up to `MAX_KEPT_BYTES`. Returns whether at least one operation was removed.
    /// After a removal, the refunds must be updated, and the payment can still be too large.
    pub(in crate::model) fn remove_excess_bytes(&mut self) -> bool {
        let operations = self.reported.operations.len();
        if operations + self.refunds.len() <= MAX_ELEMENTS {
            return false;
        }
        let mut excess = self.excess_bytes();
        if excess == 0 {
            return false;
        }
        let order = self.operations_by_importance();
        let decides_money = |(importance, ..): &&Position| *importance <= Importance::OpenSale;
        let mut kept = order.iter().take_while(decides_money).count();
        if kept == operations {
            // Only operations that decide money are left, so they lose their details first.
            self.reduce_operations(&order);
            excess = self.excess_bytes();
            let mut bytes = 0;
            let fits = |(_, length, id): &&Position| {
                let operation = self.reported.operations.get(id);
                bytes += length + operation.map_or(0, stored_length);
                bytes <= MAX_KEPT_BYTES
            };
            kept = order.iter().take_while(fits).count();
        }
        let stored = operations.saturating_sub(excess.div_ceil(BYTES_OF_OPERATION));
        let stored = stored.max(kept);
        excess > 0 && self.remove_operations(|index, _| index >= stored)
    }

    /// Returns by how many bytes the payment exceeds its maximum size.
    fn excess_bytes(&self) -> usize {
        to_json_string(self).len().saturating_sub(MAX_BYTES)
    }

    /// Drops the details of all operations, in their order by importance.
    fn reduce_operations(&mut self, order: &[Position]) {
        for (index, (importance, _, id)) in order.iter().enumerate() {
            let operation = self.reported.operations.get_mut(id);
            // The redirect URL of a pending sale is a detail.
            if let Some(operation) = operation.filter(|_| *importance != Importance::OpenSale) {
                operation.reduce(index < MAX_DECIDING);
            }
        }
    }

    /// Returns the operations in their order: the most important operations are first. If the importance is the same,
    /// the shorter ids are first, because the platform numbers its operations in ascending order.
    fn operations_by_importance(&self) -> Vec<Position> {
        let own = self.operations_of_own_refunds();
        let operations = self.reported.operations.iter();
        let mut order: Vec<Position> = operations
            .map(|(id, operation)| {
                let importance = match self.importance_for_sale(operation) {
                    Some(importance) => importance,
                    None if own.contains(id) => Importance::OwnRefund,
                    None => importance_of_other(operation),
                };
                (importance, id.len(), id.clone())
            })
            .collect();
        order.sort_unstable();
        order
    }

    /// Returns the importance of an operation that decides money, or that is a pending sale of the current attempt.
    fn importance_for_sale(&self, operation: &Operation) -> Option<Importance> {
        let kind = operation.kind();
        let takes_money = operation.is_sale() || kind.is_undocumented();
        let decides_money = operation.is_confirmation() || operation.has_succeeded() && takes_money;
        let is_pending = operation.outcome() == Outcome::Pending;
        let is_open = operation.is_sale() && is_pending && !self.attempt.is_of_failed(operation);
        match (decides_money, is_open) {
            (true, _) => Some(Importance::DecidesMoney),
            (false, true) => Some(Importance::OpenSale),
            (false, false) => None,
        }
    }

    /// Removes the first operation by importance for which `is_excess` returns true, and all operations after it.
    /// `is_excess` receives the index and the id.
    fn remove_operations(&mut self, mut is_excess: impl FnMut(usize, &str) -> bool) -> bool {
        let order = self.operations_by_importance();
        let mut removed = order.into_iter().map(|(.., id)| id).enumerate();
        let Some((_, first)) = removed.find(|(index, id)| is_excess(*index, id)) else {
            return false;
        };
        let (refunded, returned) = (self.refunds_and_reversals(), self.returned_amount());
        let overflow = &mut self.reported.overflow;
        overflow.operations = overflow.operations.max(self.reported.operations.len());
        overflow.refunded = overflow.refunded.max(refunded);
        overflow.returned = overflow.returned.max(returned);
        for id in removed.map(|(_, id)| id).chain([first]) {
            self.reported.operations.remove(&id);
        }
        true
    }

    /// Drops the details of all but the newest operations. An operation that decides money keeps its details before
    /// every other operation, and an operation about a refund loses its details first.
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
            .map(|(id, operation)| {
                let group = match self.importance_for_sale(operation) {
                    Some(_) => DetailGroup::Sale,
                    None if operation.kind().is_about_refund() => DetailGroup::Refund,
                    None => DetailGroup::Other,
                };
                (group, id.len(), id)
            })
            .collect();
        positions.sort_unstable();
        let others = positions
            .iter()
            .filter(|(group, ..)| *group != DetailGroup::Refund);
        let deciding = others.take(MAX_DECIDING);
        let deciding: BTreeSet<String> = deciding.map(|(.., id)| (*id).clone()).collect();
        positions.sort_unstable_by_key(|(group, length, id)| (*group, Reverse((*length, *id))));
        let mut bytes = 0;
        let is_reduced = |(index, (.., id)): (usize, &(DetailGroup, usize, &String))| {
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

    /// Forgets the totals of earlier reports before a signed answer is added, because the answer lists all operations.
    /// An answer with fewer operations than are known is older, and changes no total.
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
