//! Finds the external refunds that events reported and that later reports revoked: the operation is no refund, or it is
//! an unsuccessful try of a refund of ours.

use std::collections::BTreeSet;

use super::refund::Refund;
use super::refund_status::RefundStatus;
use crate::model::payment::Payment;
use crate::model::timestamp::Timestamp;

/// An external refund that the payment no longer lists.
pub(crate) struct RevokedRefund {
    /// The refund as declined, with the amount that the last event said.
    pub(crate) refund: Refund,
    /// The status that the last event said.
    pub(crate) emitted: RefundStatus,
}

impl Payment {
    /// Returns the revoked refunds whose last event still says otherwise. A refund whose operation is no longer stored
    /// is not revoked. Another refund has an event of its own if it took over the operation or the return.
    pub(crate) fn revoked_refunds(&self, at: Timestamp) -> Vec<RevokedRefund> {
        if self.former_refunds.is_empty() {
            return Vec::new();
        }
        let listed: BTreeSet<&str> = self
            .refunds
            .iter()
            .filter_map(Refund::operation_id)
            .collect();
        let operations = self.reported.operations.iter();
        let revoked = operations.filter_map(|(id, operation)| {
            if listed.contains(id.as_str()) || operation.is_refund_reversal() {
                return None;
            }
            let emitted = self.former_refunds.get(id)?;
            let status = emitted.status?;
            let mut refund = Refund::external(id, at);
            (refund.status, refund.amount) = (RefundStatus::Declined, emitted.amount);
            (status != RefundStatus::Declined).then_some(RevokedRefund {
                refund,
                emitted: status,
            })
        });
        revoked.collect()
    }

    /// Records that an event said `declined` about a revoked refund.
    pub(crate) fn mark_revoked_emitted(&mut self, refund: &Refund) {
        if let Some(id) = refund.operation_id() {
            self.former_refunds.decline(id);
        }
    }
}
