//! Keeps a payment below the maximum size of a store item, which is 400 KB.
//!
//! If there are too many operations, the least important operations are removed. The totals of all operations stay. Of
//! the stored operations, at most [`MAX_DETAILED`] keep their details, the parts that [`Operation::reduce`] drops.
//! `shared/decisions/state/0037-largest-payment.md` explains the limits.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use ecommpay::operation::Outcome;
use ecommpay::report::{self, Report};
use serde::{Deserialize, Serialize};

use super::compact::stored_length;
use super::operation::Operation;
use super::report_source::SignedReport;
use super::request_ids::RequestIds;
use crate::json_text::to_json_string;
use crate::model::payment::Payment;
use crate::model::serde_skip::is_default;
use crate::sha256;

/// The maximum number of operations that a payment stores.
pub(crate) const MAX_OPERATIONS: usize = 2_000;
/// The maximum number of operations that keep their details.
pub(crate) const MAX_DETAILED: usize = 200;
/// The maximum size of the operations with details, in bytes.
const MAX_DETAILED_BYTES: usize = 80 * 1_024;
/// The maximum size of the ids of all stored operations, in bytes. The ids are numbers, so 2,000 ids fit.
const MAX_ID_BYTES: usize = 48 * 1_024;
/// The maximum size of a payment as JSON, in bytes. The keys of the item and of its indexes need the rest of 400 KB.
const MAX_BYTES: usize = 370 * 1_024;
/// A payment with at most this many operations and refunds is always below [`MAX_BYTES`], so its size is not measured.
const MAX_ELEMENTS: usize = 100;
/// The assumed size of a removed operation with its external refund, in bytes. The real size is smaller. Therefore a
/// removal can remove too few operations, but never too many. The caller repeats the removal.
const BYTES_OF_OPERATION: usize = 400;
/// The maximum number of operations without details that keep their `payment.status` and `payment.sum`. The operations
/// that decide money have priority. Operations about a refund never keep these values.
const MAX_DECIDING: usize = 50;
/// The size of the operations that are never removed, in bytes. These are the first operations that decide money, after
/// they have lost their details.
const MAX_KEPT_BYTES: usize = 64 * 1_024;

/// How important it is to store an operation. Operations of the last variant are removed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Importance {
    /// A successful sale, a confirmation, or a successful operation of undocumented type.
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
    NoMoney,
}

/// The groups of operations, in the order in which they keep their details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum DetailGroup {
    /// Operations that decide money, and pending sales of the current attempt.
    Sale,
    Other,
    Refund,
}

/// The importance, the length of the id, and the id of an operation.
type Position = (Importance, usize, String);

/// Returns the importance of an operation that decides money, or of a pending sale of the current attempt; otherwise
/// `None`. `failed` has the requests of earlier attempts.
fn importance_for_sale(operation: &Operation, failed: &RequestIds<'_>) -> Option<Importance> {
    let kind = operation.kind();
    let takes_money = operation.is_sale() || kind.is_undocumented();
    let decides_money = operation.is_confirmation() || operation.has_succeeded() && takes_money;
    let is_pending = operation.outcome() == Outcome::Pending;
    let is_open = operation.is_sale() && is_pending && !failed.are_named_by(operation);
    match (decides_money, is_open) {
        (true, _) => Some(Importance::DecidesMoney),
        (false, true) => Some(Importance::OpenSale),
        (false, false) => None,
    }
}

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
    /// The greatest known number of operations; 0 before an operation was removed.
    pub(super) operations: usize,
    /// The greatest known amount of all successful refunds and reversals, stored or not.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::model) refunded: u64,
    /// The greatest known amount of all successful returns, stored or not.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::model) returned: u64,
    /// The digest of the last callback that caused the removal of an operation. It identifies a repeated callback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_callback: Option<String>,
}

impl Payment {
    /// Applies the limits of the operations and of their details. Returns whether at least one operation was removed.
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

    /// Removes the least important operations of a payment that is too large. Returns whether at least one operation
    /// was removed. If so, the caller must update the refunds and call this function again.
    ///
    /// An operation that decides money and a pending sale of the current attempt are removed last. The first
    /// `MAX_KEPT_BYTES` of these operations are never removed.
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
            // No other operations are left. These operations lose their details before one of them is removed.
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

    fn excess_bytes(&self) -> usize {
        to_json_string(self).len().saturating_sub(MAX_BYTES)
    }

    fn reduce_operations(&mut self, order: &[Position]) {
        for (index, (importance, _, id)) in order.iter().enumerate() {
            let operation = self.reported.operations.get_mut(id);
            // A pending sale keeps its details, because its redirect URL is a detail.
            if let Some(operation) = operation.filter(|_| *importance != Importance::OpenSale) {
                operation.reduce(index < MAX_DECIDING);
            }
        }
    }

    /// Returns the operations, the most important first. Of two equally important operations, the older is first. The
    /// older operation has the lower id, because the platform numbers its operations.
    fn operations_by_importance(&self) -> Vec<Position> {
        let own = self.operations_of_own_refunds();
        let failed = self.attempt.failed_request_ids();
        let operations = self.reported.operations.iter();
        let mut order: Vec<Position> = operations
            .map(|(id, operation)| {
                let importance = match importance_for_sale(operation, &failed) {
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

    /// Finds the first operation, in the order of importance, for which `is_excess` returns true. Removes this
    /// operation and all that follow. `is_excess` receives the index and the id.
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

    /// Applies the limits of the operations with details. The operations about a refund lose their details first, and
    /// the operations that decide money lose them last. Within a group, the oldest operations lose their details first.
    fn limit_details(&mut self) {
        let operations = &self.reported.operations;
        let length = |id: &str, operation: &Operation| id.len() + stored_length(operation);
        let lengths = operations
            .iter()
            .map(|(id, operation)| length(id, operation));
        if operations.len() <= MAX_DETAILED && lengths.sum::<usize>() <= MAX_DETAILED_BYTES {
            return;
        }
        let failed = self.attempt.failed_request_ids();
        let mut positions: Vec<_> = operations
            .iter()
            .map(|(id, operation)| {
                let group = match importance_for_sale(operation, &failed) {
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
            // The lengths of the operations beyond the maximum number are not needed.
            if index < MAX_DETAILED {
                bytes += length(id, operations.get(*id)?);
            }
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

    /// Resets the totals before a signed answer is added, because the answer lists all operations. These answers reset
    /// nothing: an answer that lists fewer operations than known, because it is out of date, and an answer that lacks
    /// the id of an operation or the sum of a refund or return, because the totals do not follow from it.
    pub(super) fn reset_totals(&mut self, answer: &Report) {
        let ids: BTreeSet<_> = answer.operations.iter().map(|one| &one.id).collect();
        let has_sum =
            |one: &report::Operation| !one.kind.is_about_refund() || one.sum_initial.is_some();
        let has_totals = answer.has_complete_list && answer.operations.iter().all(has_sum);
        let overflow = &mut self.reported.overflow;
        if has_totals && ids.len() >= overflow.operations {
            (overflow.refunded, overflow.returned) = (0, 0);
        }
    }

    /// Records a callback that caused the removal of an operation. Returns false if it repeats the last recorded
    /// callback.
    pub(crate) fn record_removal(&mut self, callback: SignedReport<'_>) -> bool {
        let digest = sha256::start_of_hex(callback.canonical.as_bytes(), 16);
        let last = &mut self.reported.overflow.last_callback;
        last.replace(digest.clone()) != Some(digest)
    }

    /// Returns the greatest known number of operations; 0 before an operation was removed.
    pub fn most_known_operations(&self) -> usize {
        self.reported.overflow.operations
    }
}
