//! Finds the refund to which a refund operation belongs.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ecommpay::report::Sum;

use super::refund::Refund;
use crate::model::attempt::gate_request::Duplicate;
use crate::model::ledger::RefundAmounts;
use crate::model::payment::Payment;
use crate::model::reported::operation::Operation;
use crate::model::reported::texts::digest_of_id;
use crate::model::timestamp::Timestamp;

/// The maximum assumed difference between the platform's clock and ours.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RefundKey {
    /// The `refund_id` of a refund that this service requested.
    Own(String),
    /// The `operation.id` of an external refund.
    External(String),
}

impl RefundKey {
    pub(super) fn of(refund: &Refund) -> Self {
        match (refund.refund_id(), refund.operation_id()) {
            (Some(refund_id), _) => Self::Own(refund_id.as_str().to_owned()),
            (None, operation_id) => Self::External(operation_id.unwrap_or_default().to_owned()),
        }
    }
}

/// The ids of the operations of each refund.
pub(super) type Attributed = BTreeMap<RefundKey, Vec<String>>;

/// A refund operation that names no refund of ours: its `operation.id`, the operation, and its creation time.
type Unattributed<'a> = (&'a String, &'a Operation, Timestamp);

/// The refunds that this service requested, indexed by the ids that an operation can name.
pub(in crate::model) struct OwnRefunds<'a> {
    /// In the order of the requests, with their `refund_id`.
    refunds: Vec<(&'a str, &'a Refund)>,
    /// The key is the `refund_id` in lower case. The value is an index of `refunds`.
    by_refund_id: BTreeMap<String, usize>,
    /// The key is a `request_id`, from Gate's answer or from an operation that also names the refund. The values are
    /// indexes of `refunds`. The set is empty if a sale request of ours has the `request_id`.
    by_request_id: BTreeMap<Cow<'a, str>, BTreeSet<usize>>,
    /// Whether an operation has a digest instead of an id. If so, the keys of both maps are digests.
    has_digests: bool,
}

impl<'a> OwnRefunds<'a> {
    pub(in crate::model) fn of(payment: &'a Payment) -> Self {
        let mut operations = payment.reported.operations.values();
        let mut refunds = Self {
            refunds: own(payment).collect(),
            by_refund_id: BTreeMap::new(),
            by_request_id: BTreeMap::new(),
            has_digests: operations.any(Operation::has_digest),
        };
        let indexed = || refunds.refunds.iter().enumerate();
        let by_refund_id = indexed().map(|(index, (id, _))| {
            let key = refunds.key_of(id.to_ascii_lowercase());
            (key.into_owned(), index)
        });
        refunds.by_refund_id = by_refund_id.collect();
        let indexed = || refunds.refunds.iter().enumerate();
        let by_answer = indexed().filter_map(|(index, (_, refund))| {
            let request_id = refund.request.request_id()?;
            Some((refunds.key_of(request_id), index))
        });
        let operations = payment.reported.operations.values();
        let operations = operations.filter(|operation| operation.gives_back());
        let by_operation = operations.filter_map(|operation| {
            let index = refunds.index_of(operation.merchant_refund_id()?)?;
            Some((refunds.key_of(operation.request_id()?), index))
        });
        let mut by_request_id: BTreeMap<_, BTreeSet<usize>> = BTreeMap::new();
        for (key, index) in by_answer.chain(by_operation) {
            by_request_id.entry(key).or_default().insert(index);
        }
        for request_id in payment.attempt.request_ids().iter() {
            by_request_id.insert(refunds.key_of(request_id), BTreeSet::new());
        }
        refunds.by_request_id = by_request_id;
        refunds
    }

    fn key_of<'b>(&self, id: impl Into<Cow<'b, str>>) -> Cow<'b, str> {
        let id = id.into();
        match self.has_digests {
            true => Cow::Owned(digest_of_id(&id)),
            false => id,
        }
    }

    /// Returns the `refund_id` of the refund with this `request_id`. If several refunds share this `request_id`,
    /// returns the earliest refund to which the operation could belong.
    fn requested(&self, request_id: &str, operation: &Operation) -> Option<&'a str> {
        let indexes = self.by_request_id.get(&self.key_of(request_id))?;
        let is_only = indexes.len() == 1;
        let mut refunds = indexes.iter().filter_map(|index| self.refunds.get(*index));
        let found = refunds.find(|(_, refund)| is_only || could_match(refund, operation));
        found.map(|(refund_id, _)| *refund_id)
    }

    /// Whether a refund request of ours has this `request_id`.
    pub(in crate::model) fn is_request(&self, request_id: &str) -> bool {
        let indexes = self.by_request_id.get(&self.key_of(request_id));
        indexes.is_some_and(|indexes| !indexes.is_empty())
    }

    /// Whether several refunds share this `request_id`, or a sale request has it.
    pub(super) fn is_shared(&self, request_id: &str) -> bool {
        let indexes = self.by_request_id.get(&self.key_of(request_id));
        indexes.is_some_and(|indexes| indexes.len() != 1)
    }

    /// Returns our `refund_id` that equals this `merchant_refund_id`, except for upper and lower case.
    pub(super) fn named(&self, merchant_refund_id: &str) -> Option<&'a str> {
        let (refund_id, _) = self.refunds.get(self.index_of(merchant_refund_id)?)?;
        Some(refund_id)
    }

    fn index_of(&self, merchant_refund_id: &str) -> Option<usize> {
        let folded = self.key_of(merchant_refund_id.to_ascii_lowercase());
        self.by_refund_id.get(folded.as_ref()).copied()
    }

    /// Returns the refund with this `refund_id`.
    pub(super) fn get(&self, refund_id: &str) -> Option<&'a Refund> {
        let (_, refund) = self.refunds.get(self.index_of(refund_id)?)?;
        Some(refund)
    }

    /// Returns the `refund_id` of the refund that an operation names: by its `merchant_refund_id`, or else by its
    /// `request_id`.
    pub(super) fn refund_of(&self, operation: &Operation) -> Option<&'a str> {
        // This check avoids the digests of the operation's ids, which are slow to compute.
        if self.refunds.is_empty() {
            return None;
        }
        match (operation.merchant_refund_id(), operation.request_id()) {
            (Some(named), _) => self.named(named),
            (None, Some(request_id)) => self.requested(request_id, operation),
            (None, None) => None,
        }
    }
}

fn own(payment: &Payment) -> impl Iterator<Item = (&str, &Refund)> {
    let refunds = payment.refunds.iter();
    refunds.filter_map(|refund| Some((refund.refund_id()?.as_str(), refund)))
}

impl Payment {
    /// Returns the operations of each refund: the refund operations, and the returns.
    pub(super) fn attributed(&self, amounts: &RefundAmounts<'_>) -> (Attributed, Attributed) {
        let own_refunds = OwnRefunds::of(self);
        let refunds = self.attributed_refunds(&own_refunds);
        let returns = self.attributed_returns(&own_refunds, &refunds, amounts);
        (refunds, returns)
    }

    /// Attributes each refund operation to the refund that it names, or else to a refund found by elimination. Any
    /// other operation is an external refund. If several operations of a refund succeeded, all but one are external.
    pub(super) fn attributed_refunds<'a>(&'a self, own_refunds: &OwnRefunds<'a>) -> Attributed {
        let eliminated = self.attributed_by_elimination(own_refunds);
        let mut attributed = Attributed::new();
        let operations = self.reported.operations.iter();
        for (id, operation) in operations.filter(|(_, operation)| operation.gives_back()) {
            let named = own_refunds.refund_of(operation);
            let key = match named.or(eliminated.get(id.as_str()).copied()) {
                Some(refund_id) => RefundKey::Own(refund_id.to_owned()),
                None => RefundKey::External(id.clone()),
            };
            attributed.entry(key).or_default().push(id.clone());
        }
        self.separate_further_successes(own_refunds, &mut attributed);
        attributed
    }

    /// Returns the requested amount for each operation of a refund of ours, by `operation.id`.
    pub(in crate::model) fn requested_amounts(&self) -> BTreeMap<String, u64> {
        let requested: BTreeMap<&str, u64> = own(self)
            .map(|(id, refund)| (id, refund.requested_amount()))
            .collect();
        if requested.is_empty() {
            return BTreeMap::new();
        }
        let mut amounts = BTreeMap::new();
        for (key, ids) in self.attributed_refunds(&OwnRefunds::of(self)) {
            if let RefundKey::Own(refund_id) = key
                && let Some(amount) = requested.get(refund_id.as_str())
            {
                amounts.extend(ids.into_iter().map(|id| (id, *amount)));
            }
        }
        amounts
    }

    /// Returns the successful operations of our refunds that have another amount than requested, if only callbacks
    /// report the success. Computes this from the reports, because the stored refunds are updated later.
    pub(crate) fn unconfirmed_differing_refunds(&self) -> Vec<String> {
        let currency = self.currency();
        let differs = |id: &String, requested: u64| {
            let Some(operation) = self.operation(id) else {
                return false;
            };
            let is_in_currency = |sum: &&Sum| currency.is_none_or(|one| one == sum.currency);
            let sum = operation.sum().filter(is_in_currency);
            operation.has_succeeded()
                && !operation.is_signed()
                && sum.is_some_and(|sum| sum.amount != requested)
        };
        let requested = self.requested_amounts().into_iter();
        let differing = requested.filter(|(id, requested)| differs(id, *requested));
        differing.map(|(id, _)| id).collect()
    }

    /// Returns the ids of the refund operations and returns that belong to refunds of ours.
    pub(in crate::model) fn operations_of_own_refunds(&self) -> BTreeSet<String> {
        let (refunds, returns) = self.attributed(&RefundAmounts::of(self));
        let attributed = refunds.into_iter().chain(returns);
        attributed
            .filter(|(key, _)| matches!(key, RefundKey::Own(_)))
            .flat_map(|(_, ids)| ids)
            .collect()
    }

    /// Finds the operation of a refund by elimination. Returns the `refund_id` by `operation.id`.
    ///
    /// A candidate is a refund that no operation names, although the platform has it: the platform refused a repeat as
    /// a duplicate. If exactly one operation matches a candidate, and this operation could belong to no other refund,
    /// the operation belongs to the candidate.
    fn attributed_by_elimination<'a>(
        &'a self,
        own_refunds: &OwnRefunds<'a>,
    ) -> BTreeMap<&'a str, &'a str> {
        let is_duplicate = |refund: &Refund| refund.request.duplicate().is_some();
        if !self.refunds.iter().any(is_duplicate) {
            return BTreeMap::new();
        }
        let operations = self.reported.operations.values();
        let named: BTreeSet<&str> = operations
            .filter_map(|operation| own_refunds.refund_of(operation))
            .collect();
        let mut unattributed: BTreeMap<u64, Vec<Unattributed<'_>>> = BTreeMap::new();
        for (id, operation) in self.unattributed(own_refunds) {
            if let (Some(amount), Some(created)) = (operation.amount(), operation.created_at()) {
                let of_amount = unattributed.entry(amount).or_default();
                of_amount.push((id, operation, created));
            }
        }
        let missing: Vec<(&str, &Refund)> = own(self)
            .filter(|(refund_id, refund)| {
                !named.contains(refund_id) && !refund.request.was_never_accepted()
            })
            .collect();
        let mut found = BTreeMap::new();
        for (refund_id, refund) in &missing {
            let of_amount = unattributed
                .get(&refund.requested_amount())
                .into_iter()
                .flatten();
            let mut candidates =
                of_amount.filter(|(.., created)| matches_exactly(refund, *created));
            let (Some((id, operation, _)), None) = (candidates.next(), candidates.next()) else {
                continue;
            };
            let mut rivals = missing.iter().filter(|(_, other)| {
                other.request.request_id().is_none() && could_match(other, operation)
            });
            if let (Some(_), None) = (rivals.next(), rivals.next()) {
                found.insert(id.as_str(), *refund_id);
            }
        }
        found
    }

    /// Returns the refund operations that have no `merchant_refund_id` and name no refund request of ours.
    fn unattributed(
        &self,
        own_refunds: &OwnRefunds<'_>,
    ) -> impl Iterator<Item = (&String, &Operation)> {
        let operations = self.reported.operations.iter();
        operations.filter(|(_, operation)| {
            operation.gives_back()
                && operation.merchant_refund_id().is_none()
                && own_refunds.refund_of(operation).is_none()
        })
    }

    /// Whether an operation that names no refund of ours could belong to this refund.
    pub(crate) fn has_candidate_operation(&self, refund: &Refund) -> bool {
        let own_refunds = OwnRefunds::of(self);
        self.unattributed(&own_refunds)
            .any(|(_, operation)| could_match(refund, operation))
    }
}

/// Whether an operation that names no refund could belong to this refund. It must have the same amount, and must not
/// be older than the refund. A missing field counts as a match.
fn could_match(refund: &Refund, operation: &Operation) -> bool {
    let is_in_time = || {
        let reported_at = operation.created_at().or_else(|| operation.changed_at());
        let sent = refund.created_at.before(MAX_CLOCK_SKEW);
        reported_at.is_none_or(|reported_at| reported_at >= sent)
    };
    let is_same_amount = operation
        .amount()
        .is_none_or(|amount| amount == refund.requested_amount());
    is_same_amount && is_in_time()
}

/// Whether an operation was created between the first request of a refund and the refusal of a repeat as a duplicate.
/// The caller compares the amounts.
fn matches_exactly(refund: &Refund, created: Timestamp) -> bool {
    let sent = refund.created_at.before(MAX_CLOCK_SKEW);
    let Some(Duplicate::Own(refused)) = refund.request.duplicate() else {
        return false;
    };
    created >= sent && created <= refused.after(MAX_CLOCK_SKEW)
}
