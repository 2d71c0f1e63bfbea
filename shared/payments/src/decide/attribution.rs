//! Which refund an operation of the platform is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::payment::{Exists, Operation, Payment, Refund};
use crate::timestamp::Timestamp;

/// So much the platform's clock may be behind ours.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

/// What our refunds are called.
pub(super) struct Ours<'a> {
    /// The ids by themselves in lower case, as they are compared.
    by_refund_id: BTreeMap<String, &'a str>,
    /// The ids by the platform's names of our requests: from Gate's answers, and from operations
    /// that name their refund.
    pub(super) by_request: BTreeMap<&'a str, &'a str>,
}

impl<'a> Ours<'a> {
    pub(super) fn of(payment: &'a Payment) -> Self {
        let refunds = || {
            let refunds = payment.refunds.iter();
            refunds.filter_map(|refund| Some((refund.refund_id.as_ref()?.as_str(), refund)))
        };
        let by_refund_id: BTreeMap<String, &str> = refunds()
            .map(|(id, _)| (id.to_ascii_lowercase(), id))
            .collect();
        let by_answer =
            refunds().filter_map(|(id, refund)| Some((refund.request.request_id()?, id)));
        let operations = payment.operations.values().filter(|one| one.is_refund());
        let by_operation = operations.filter_map(|operation| {
            let named = operation.merchant_refund_id.as_ref()?.to_ascii_lowercase();
            let refund_id = by_refund_id.get(&named)?;
            Some((operation.request_id.as_deref()?, *refund_id))
        });
        let by_request = by_answer.chain(by_operation).collect();
        Self {
            by_refund_id,
            by_request,
        }
    }

    /// The refund of ours that an operation is: by `merchant_refund_id`, then by `request_id`.
    pub(super) fn refund_of(&self, operation: &Operation) -> Option<&'a str> {
        match (&operation.merchant_refund_id, &operation.request_id) {
            (Some(named), _) => self.by_refund_id.get(&named.to_ascii_lowercase()).copied(),
            (None, Some(request_id)) => self.by_request.get(request_id.as_str()).copied(),
            (None, None) => None,
        }
    }
}

/// The refund operations that name no refund, neither ours nor somebody else's.
pub(super) fn nameless(payment: &Payment) -> impl Iterator<Item = (&String, &Operation)> {
    let ours = Ours::of(payment);
    payment.operations.iter().filter(move |(_, operation)| {
        operation.is_refund()
            && operation.merchant_refund_id.is_none()
            && ours.refund_of(operation).is_none()
    })
}

/// The refunds that the platform says it has and that no operation names, by the one operation
/// that each can be; where several refunds or several operations come into question, nobody knows.
pub(super) fn by_elimination(payment: &Payment) -> BTreeMap<&str, &str> {
    if payment.refunds.iter().all(|refund| refund.exists.is_none()) {
        return BTreeMap::new();
    }
    let ours = Ours::of(payment);
    let named: BTreeSet<&str> = payment
        .operations
        .values()
        .filter_map(|operation| ours.refund_of(operation))
        .collect();
    let nameless: Vec<(&String, &Operation)> = nameless(payment).collect();
    let missing: Vec<(&str, &Refund)> = payment
        .refunds
        .iter()
        .filter_map(|refund| Some((refund.refund_id.as_ref()?.as_str(), refund)))
        .filter(|(refund_id, _)| !named.contains(refund_id))
        .collect();
    let mut found = BTreeMap::new();
    for (refund_id, refund) in &missing {
        let mut candidates = nameless.iter().filter(|(_, one)| must_be(refund, one));
        let (Some((id, operation)), None) = (candidates.next(), candidates.next()) else {
            continue;
        };
        let mut claims = missing
            .iter()
            .filter(|(_, other)| other.request.request_id().is_none() && may_be(other, operation));
        if let (Some(_), None) = (claims.next(), claims.next()) {
            found.insert(id.as_str(), *refund_id);
        }
    }
    found
}

/// When the platform began an operation, where it says that.
fn began(operation: &Operation) -> Option<Timestamp> {
    Timestamp::of_platform(operation.created_date.as_deref()?)
}

/// Whether an operation without a name could be a refund of ours. What is not known speaks for it.
pub(super) fn may_be(refund: &Refund, operation: &Operation) -> bool {
    let changed = began(operation).or_else(|| Timestamp::of_platform(&operation.news.0));
    let sent = refund.created_at.before(CLOCKS_DIFFER);
    let is_same = operation
        .amount
        .is_none_or(|amount| amount == refund.amount);
    is_same && changed.is_none_or(|changed| changed >= sent)
}

/// Whether an operation without a name is all that is known to fit a refund that the platform says
/// it has: of its amount, begun after it was sent and before the platform said so.
fn must_be(refund: &Refund, operation: &Operation) -> bool {
    let sent = refund.created_at.before(CLOCKS_DIFFER);
    let (Some(Exists::By(known)), Some(began)) = (refund.exists, began(operation)) else {
        return false;
    };
    let is_between = began >= sent && began <= known.after(CLOCKS_DIFFER);
    is_between && operation.amount == Some(refund.amount)
}
