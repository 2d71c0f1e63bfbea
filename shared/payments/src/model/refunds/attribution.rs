//! Finds the refund to which a refund operation belongs.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ecommpay::report::Sum;

use super::refund::Refund;
use crate::model::attempt::gate_request::Duplicate;
use crate::model::payment::Payment;
use crate::model::reported::operation::Operation;
use crate::model::reported::texts::digest_of_id;
use crate::model::timestamp::Timestamp;

/// The platform's clock and ours are assumed to differ by at most this time. Each comparison of their times in this
/// file allows this difference.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(60);

/// Identifies the refund to which an operation belongs.
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

/// The ids of operations, by the refund to which the operations belong.
pub(super) type Attributed = BTreeMap<RefundKey, Vec<String>>;

/// A refund operation that names no refund of ours: its id, the operation, and its creation time.
type Unattributed<'a> = (&'a String, &'a Operation, Timestamp);

/// The refunds that this service requested, by the ids that an operation can name.
pub(super) struct OwnRefunds<'a> {
    /// The refund ids in the spelling in which we first received them, by the refund id in lower case.
    by_refund_id: BTreeMap<String, &'a str>,
    /// The refund ids by `request_id`: from Gate's answers, and from operations that name their refund. `None` if
    /// several refunds, or a sale request of ours, have the `request_id`: this id then attributes no operation.
    by_request_id: BTreeMap<Cow<'a, str>, Option<&'a str>>,
    /// The ids of refunds that have ended, by the `operation.id` that ended them. Has only operations whose
    /// `request_id` attributes nothing. Such an operation stays with its refund, because an ended refund must not
    /// become pending again when another request gets the same `request_id`.
    by_ended_operation: BTreeMap<&'a str, &'a str>,
    /// Whether an operation has a digest instead of an id. Then the keys of both maps are digests too.
    has_digests: bool,
}

impl<'a> OwnRefunds<'a> {
    pub(super) fn of(payment: &'a Payment) -> Self {
        let mut operations = payment.reported.operations.values();
        let mut refunds = Self {
            by_refund_id: BTreeMap::new(),
            by_request_id: BTreeMap::new(),
            by_ended_operation: BTreeMap::new(),
            has_digests: operations.any(Operation::has_digest),
        };
        let own = || own(payment);
        let by_refund_id = own().map(|(id, _)| (refunds.key_of(id.to_ascii_lowercase()), id));
        refunds.by_refund_id = by_refund_id
            .map(|(key, id)| (key.into_owned(), id))
            .collect();
        let by_answer = own()
            .filter_map(|(id, refund)| Some((refunds.key_of(refund.request.request_id()?), id)));
        let operations = payment.reported.operations.values();
        let operations = operations.filter(|operation| operation.gives_back());
        let by_operation = operations.filter_map(|operation| {
            let refund_id = refunds.named(operation.merchant_refund_id()?)?;
            Some((refunds.key_of(operation.request_id()?), refund_id))
        });
        let mut by_request_id = BTreeMap::new();
        for (key, id) in by_answer.chain(by_operation) {
            let known = by_request_id.entry(key).or_insert(Some(id));
            *known = known.filter(|known| *known == id);
        }
        for request_id in payment.attempt.request_ids() {
            by_request_id.insert(refunds.key_of(request_id), None);
        }
        refunds.by_request_id = by_request_id;
        let ended = own().filter_map(|(refund_id, refund)| {
            let id = refund.operation_id()?;
            let request_id = payment.operation(id)?.request_id()?;
            let has_ended = !refund.status().is_reserved();
            (has_ended && refunds.is_shared(request_id)).then_some((id, refund_id))
        });
        refunds.by_ended_operation = ended.collect();
        refunds
    }

    /// Returns the key under which the maps contain an id: the id itself or its digest.
    fn key_of<'b>(&self, id: impl Into<Cow<'b, str>>) -> Cow<'b, str> {
        let id = id.into();
        match self.has_digests {
            true => Cow::Owned(digest_of_id(&id)),
            false => id,
        }
    }

    /// Returns the id of the refund whose request has this `request_id`.
    fn requested(&self, request_id: &str) -> Option<&'a str> {
        *self.by_request_id.get(&self.key_of(request_id))?
    }

    /// Whether two requests of ours have this `request_id`.
    pub(super) fn is_shared(&self, request_id: &str) -> bool {
        self.by_request_id.get(&self.key_of(request_id)) == Some(&None)
    }

    /// Returns the id of the refund with this `merchant_refund_id`.
    pub(super) fn named(&self, merchant_refund_id: &str) -> Option<&'a str> {
        let folded = self.key_of(merchant_refund_id.to_ascii_lowercase());
        self.by_refund_id.get(folded.as_ref()).copied()
    }

    /// Returns the id of the refund that an operation names by its `merchant_refund_id`. An operation without a
    /// `merchant_refund_id` names a refund by its `request_id`. If two requests have this `request_id`, the operation
    /// stays with the refund that it has ended.
    fn refund_of(&self, id: &str, operation: &Operation) -> Option<&'a str> {
        match (operation.merchant_refund_id(), operation.request_id()) {
            (Some(named), _) => self.named(named),
            (None, Some(request_id)) => {
                let ended = || self.by_ended_operation.get(id).copied();
                self.requested(request_id).or_else(ended)
            }
            (None, None) => None,
        }
    }
}

/// Returns the refunds that this service requested, with their ids.
fn own(payment: &Payment) -> impl Iterator<Item = (&str, &Refund)> {
    let refunds = payment.refunds.iter();
    refunds.filter_map(|refund| Some((refund.refund_id()?.as_str(), refund)))
}

impl Payment {
    /// Attributes each refund operation to the refund that the operation names, or else to a refund found by
    /// elimination. Any other operation is an external refund.
    pub(super) fn attributed_refunds(&self) -> Attributed {
        let own_refunds = OwnRefunds::of(self);
        let eliminated = self.attributed_by_elimination(&own_refunds);
        let mut attributed = Attributed::new();
        let operations = self.reported.operations.iter();
        for (id, operation) in operations.filter(|(_, operation)| operation.gives_back()) {
            let named = own_refunds.refund_of(id, operation);
            let key = match named.or(eliminated.get(id.as_str()).copied()) {
                Some(refund_id) => RefundKey::Own(refund_id.to_owned()),
                None => RefundKey::External(id.clone()),
            };
            attributed.entry(key).or_default().push(id.clone());
        }
        attributed
    }

    /// Returns the successful operations of refunds of ours that have another amount than we requested, and that no
    /// signed answer lists. Uses the reports and not the stored state of the refunds, because that state is updated
    /// later.
    pub(crate) fn unconfirmed_differing_refunds(&self) -> Vec<String> {
        let requested: BTreeMap<&str, u64> = own(self)
            .map(|(id, refund)| (id, refund.requested_amount()))
            .collect();
        if requested.is_empty() {
            return Vec::new();
        }
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
        let mut found = Vec::new();
        for (key, ids) in self.attributed_refunds() {
            let RefundKey::Own(refund_id) = key else {
                continue;
            };
            if let Some(requested) = requested.get(refund_id.as_str()) {
                found.extend(ids.into_iter().filter(|id| differs(id, *requested)));
            }
        }
        found
    }

    /// Returns the ids of the operations that belong to refunds of ours: refunds and returns.
    pub(in crate::model) fn operations_of_own_refunds(&self) -> BTreeSet<String> {
        let refunds = self.attributed_refunds();
        let returns = self.attributed_returns(&refunds);
        let attributed = refunds.into_iter().chain(returns);
        attributed
            .filter(|(key, _)| matches!(key, RefundKey::Own(_)))
            .flat_map(|(_, ids)| ids)
            .collect()
    }

    /// Returns refund ids by `operation.id`, found by elimination. The candidates are refunds that no operation names,
    /// although the platform has them: the platform refused a repeat as a duplicate id. If exactly one operation
    /// matches a candidate, and that operation matches no other refund, the operation belongs to the candidate.
    fn attributed_by_elimination<'a>(
        &'a self,
        own_refunds: &OwnRefunds<'a>,
    ) -> BTreeMap<&'a str, &'a str> {
        let is_duplicate = |refund: &Refund| refund.request.duplicate().is_some();
        if !self.refunds.iter().any(is_duplicate) {
            return BTreeMap::new();
        }
        let operations = self.reported.operations.iter();
        let named: BTreeSet<&str> = operations
            .filter_map(|(id, operation)| own_refunds.refund_of(id, operation))
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

    /// Returns the refund operations without a `merchant_refund_id` and without the `request_id` of a request of ours.
    fn unattributed(
        &self,
        own_refunds: &OwnRefunds<'_>,
    ) -> impl Iterator<Item = (&String, &Operation)> {
        let operations = self.reported.operations.iter();
        operations.filter(|(id, operation)| {
            operation.gives_back()
                && operation.merchant_refund_id().is_none()
                && own_refunds.refund_of(id, operation).is_none()
        })
    }

    /// Whether an unattributed operation could belong to this refund.
    pub(crate) fn has_candidate_operation(&self, refund: &Refund) -> bool {
        let own_refunds = OwnRefunds::of(self);
        self.unattributed(&own_refunds)
            .any(|(_, operation)| could_match(refund, operation))
    }

    /// Whether this `request_id` belongs to a refund request of ours.
    pub(in crate::model) fn is_refund_request(&self, request_id: &str) -> bool {
        OwnRefunds::of(self).requested(request_id).is_some()
    }
}

/// Whether an unattributed operation could belong to a refund of ours: the operation has the amount of the refund and
/// is not older than the refund. A missing field counts as a match.
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

/// Whether the creation time of an unattributed operation fits a refund: the operation was created after the refund was
/// requested, and before the platform refused the duplicate id. The caller compares the amounts.
fn matches_exactly(refund: &Refund, created: Timestamp) -> bool {
    let sent = refund.created_at.before(MAX_CLOCK_SKEW);
    let Some(Duplicate::Own(refused)) = refund.request.duplicate() else {
        return false;
    };
    created >= sent && created <= refused.after(MAX_CLOCK_SKEW)
}
