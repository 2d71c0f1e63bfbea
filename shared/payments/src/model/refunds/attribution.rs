//! Which refund an operation of the platform is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::model::{Exists, Operation, Payment, Refund};

/// How much the platform's clock may be behind ours.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

/// The names of our refunds.
pub(in crate::model) struct Ours<'a> {
    /// The ids by themselves in lower case, as they are compared.
    by_refund_id: BTreeMap<String, &'a str>,
    /// The ids by the platform's names of our requests: from Gate's answers, and from operations
    /// that name their refund.
    pub(in crate::model) by_request: BTreeMap<&'a str, &'a str>,
}

impl<'a> Ours<'a> {
    pub(in crate::model) fn of(payment: &'a Payment) -> Self {
        let refunds = || {
            let refunds = payment.refunds.iter();
            refunds.filter_map(|refund| Some((refund.refund_id.as_ref()?.as_str(), refund)))
        };
        let by_refund_id: BTreeMap<String, &str> = refunds()
            .map(|(id, _)| (id.to_ascii_lowercase(), id))
            .collect();
        let by_answer =
            refunds().filter_map(|(id, refund)| Some((refund.request.request_id()?, id)));
        let operations = payment.reported.operations.values();
        let operations = operations.filter(|one| one.gives_back());
        let by_operation = operations.filter_map(|operation| {
            let named = operation.merchant_refund_id()?.to_ascii_lowercase();
            let refund_id = by_refund_id.get(&named)?;
            Some((operation.request_id()?, *refund_id))
        });
        let by_request = by_answer.chain(by_operation).collect();
        Self {
            by_refund_id,
            by_request,
        }
    }

    /// The refund of ours with a name.
    pub(in crate::model) fn named(&self, merchant_refund_id: &str) -> Option<&'a str> {
        let folded = merchant_refund_id.to_ascii_lowercase();
        self.by_refund_id.get(&folded).copied()
    }

    /// The refund of ours that an operation is: by `merchant_refund_id`, then by `request_id`.
    pub(in crate::model) fn refund_of(&self, operation: &Operation) -> Option<&'a str> {
        match (operation.merchant_refund_id(), operation.request_id()) {
            (Some(named), _) => self.named(named),
            (None, Some(request_id)) => self.by_request.get(request_id).copied(),
            (None, None) => None,
        }
    }
}

/// The refund operations that name no refund, neither ours nor another system's.
pub(in crate::model) fn nameless(payment: &Payment) -> impl Iterator<Item = (&String, &Operation)> {
    let ours = Ours::of(payment);
    let operations = payment.reported.operations.iter();
    operations.filter(move |(_, operation)| {
        operation.gives_back()
            && operation.merchant_refund_id().is_none()
            && ours.refund_of(operation).is_none()
    })
}

/// The refunds that the platform says it has and that no operation names, by the one operation
/// that each can be. Where several refunds or several operations fit, none is chosen.
pub(in crate::model) fn by_elimination(payment: &Payment) -> BTreeMap<&str, &str> {
    let exists = |refund: &Refund| refund.request.exists().is_some();
    if !payment.refunds.iter().any(exists) {
        return BTreeMap::new();
    }
    let ours = Ours::of(payment);
    let named: BTreeSet<&str> = payment
        .reported
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

/// Whether an operation without a name could be a refund of ours. A missing field counts as a match.
pub(in crate::model) fn may_be(refund: &Refund, operation: &Operation) -> bool {
    let reported = || operation.order()?.operation_date();
    let changed = operation.created_at().or_else(reported);
    let sent = refund.created_at.before(CLOCKS_DIFFER);
    let is_same = operation
        .amount()
        .is_none_or(|amount| amount == refund.amount);
    is_same && changed.is_none_or(|changed| changed >= sent)
}

/// Whether an operation without a name is all that is known to fit a refund that the platform says
/// it has: of its amount, created after it was sent and before the platform said so.
fn must_be(refund: &Refund, operation: &Operation) -> bool {
    let sent = refund.created_at.before(CLOCKS_DIFFER);
    let (Some(Exists::By(known)), Some(created)) =
        (refund.request.exists(), operation.created_at())
    else {
        return false;
    };
    let is_between = created >= sent && created <= known.after(CLOCKS_DIFFER);
    is_between && operation.amount() == Some(refund.amount)
}
