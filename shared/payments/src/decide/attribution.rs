//! Which refund an operation of the platform is.

use std::collections::BTreeMap;

use crate::payment::{Operation, Payment};

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
