//! Which refund an operation of the platform is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::payment::{Operation, Payment, Refund};
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

/// The refunds that the platform says it has and that no operation names, by the one operation
/// that each can be; where there are several, nobody knows.
pub(super) fn by_elimination(payment: &Payment) -> BTreeMap<&str, &str> {
    let ours = Ours::of(payment);
    let named: BTreeSet<&str> = payment
        .operations
        .values()
        .filter_map(|operation| ours.refund_of(operation))
        .collect();
    let nameless: Vec<(&String, &Operation)> = payment
        .operations
        .iter()
        .filter(|(_, one)| one.is_refund() && ours.refund_of(one).is_none())
        .collect();
    let missing: Vec<(&str, &Refund)> = payment
        .refunds
        .iter()
        .filter(|refund| refund.exists)
        .filter_map(|refund| Some((refund.refund_id.as_ref()?.as_str(), refund)))
        .filter(|(refund_id, _)| !named.contains(refund_id))
        .collect();
    let mut found = BTreeMap::new();
    for (refund_id, refund) in &missing {
        let mut candidates = nameless.iter().filter(|(_, one)| could_be(refund, one));
        let (Some((id, operation)), None) = (candidates.next(), candidates.next()) else {
            continue;
        };
        let claims = missing
            .iter()
            .filter(|(_, other)| could_be(other, operation));
        if claims.count() == 1 {
            found.insert(id.as_str(), *refund_id);
        }
    }
    found
}

/// Whether an operation without a name could be a refund of ours: of the same amount, and not begun
/// before we sent it, as far as clocks agree.
pub(super) fn could_be(refund: &Refund, operation: &Operation) -> bool {
    let began = operation
        .created_date
        .as_deref()
        .unwrap_or(&operation.news.0);
    let began = Timestamp::of_platform(began);
    let sent = refund.created_at.before(CLOCKS_DIFFER);
    operation.amount == Some(refund.amount) && began.is_none_or(|began| began >= sent)
}
