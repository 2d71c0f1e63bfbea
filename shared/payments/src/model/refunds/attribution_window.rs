//! Implements the attribution window. During this window, a refund that seems to be external causes no event: it may
//! still turn out to be ours.

use std::collections::BTreeSet;
use std::time::Duration;

use super::refund::Refund;
use crate::model::payment::Payment;
use crate::model::timestamp::Timestamp;

/// The length of the window, from the time at which the refund was first reported. If the refund is ours, the callback
/// with the `merchant_refund_id` is expected within this time.
const ATTRIBUTION_WINDOW: Duration = Duration::from_secs(15 * 60);

impl Payment {
    /// Returns the amounts of the open refunds of ours that have no operation and no `request_id` from Gate.
    pub(crate) fn unattributed_amounts(&self) -> BTreeSet<u64> {
        let is_candidate = |own: &&Refund| {
            own.operation_id().is_none()
                && own.request().request_id().is_none()
                && own.status().is_reserved()
        };
        let candidates = self.refunds.iter().filter(is_candidate);
        candidates.map(Refund::amount).collect()
    }

    /// Whether a refund that seems to be external may be a refund of ours. Two conditions must hold. The attribution
    /// window is open, and an open refund of ours has the same amount, no operation, and no `request_id` from Gate. A
    /// refund that names a `merchant_refund_id` is never ours, because the id would have attributed it. `own_amounts`
    /// is the result of [`Self::unattributed_amounts`].
    pub(crate) fn may_be_own_refund(
        &self,
        refund: &Refund,
        own_amounts: &BTreeSet<u64>,
        at: Timestamp,
    ) -> bool {
        let operation = refund.operation_id().and_then(|id| self.operation(id));
        let names_another = operation.is_some_and(|one| one.merchant_refund_id().is_some());
        refund.refund_id().is_none()
            && !names_another
            && !self.is_unattributed_return(refund)
            && refund.created_at().after(ATTRIBUTION_WINDOW) > at
            && own_amounts.contains(&refund.amount())
    }

    /// Returns the time at which the first open attribution window ends; `None` if no window is open. The refund of
    /// this window is then emitted as external.
    pub(in crate::model) fn attribution_window_end(&self) -> Option<Timestamp> {
        let own_amounts = self.unattributed_amounts();
        let is_withheld = |refund: &&Refund| {
            let is_emitted = refund.emitted().status == Some(refund.status());
            !is_emitted && self.may_be_own_refund(refund, &own_amounts, self.updated_at())
        };
        let withheld = self.refunds.iter().filter(is_withheld);
        let ends = withheld.map(|refund| refund.created_at().after(ATTRIBUTION_WINDOW));
        ends.min()
    }
}
