//! Implements the attribution window. During this window, a refund that seems to be external causes no event: it may
//! still turn out to be ours.

use std::collections::BTreeSet;
use std::time::Duration;

use super::attribution::OwnRefunds;
use super::refund::Refund;
use crate::model::payment::Payment;
use crate::model::reported::operation::Operation;
use crate::model::timestamp::Timestamp;

/// The length of the window, from the time at which the refund was first reported. If the refund is ours, the callback
/// with the `merchant_refund_id` is expected within this time.
const ATTRIBUTION_WINDOW: Duration = Duration::from_secs(15 * 60);

/// The open refunds of ours that have no operation. An operation that does not name its refund may belong to them.
pub(crate) struct UnattributedRefunds<'a> {
    /// The amounts of these refunds.
    amounts: BTreeSet<u64>,
    /// The amounts of these refunds that have no `request_id` from Gate.
    amounts_without_request: BTreeSet<u64>,
    /// All refunds of ours; `None` if each refund of ours has an operation or has ended.
    own: Option<OwnRefunds<'a>>,
}

impl UnattributedRefunds<'_> {
    /// Whether an operation with this amount and this `request_id` may belong to one of the refunds. An id that names
    /// a request of only one refund, or no request of ours, excludes the refunds that have another `request_id`.
    fn may_own(&self, amount: u64, request_id: Option<&str>) -> bool {
        let own = self.own.as_ref();
        let is_shared = |id: &str| own.is_some_and(|own| own.is_shared(id));
        match request_id.is_none_or(is_shared) {
            true => self.amounts.contains(&amount),
            false => self.amounts_without_request.contains(&amount),
        }
    }
}

impl Payment {
    /// Returns the open refunds of ours that have no operation.
    pub(crate) fn unattributed_refunds(&self) -> UnattributedRefunds<'_> {
        let is_candidate =
            |own: &&Refund| own.operation_id().is_none() && own.status().is_reserved();
        let candidates = self.refunds.iter().filter(is_candidate);
        let without_request = candidates
            .clone()
            .filter(|own| own.request().request_id().is_none());
        let amounts: BTreeSet<u64> = candidates.map(Refund::amount).collect();
        UnattributedRefunds {
            amounts_without_request: without_request.map(Refund::amount).collect(),
            own: (!amounts.is_empty()).then(|| OwnRefunds::of(self)),
            amounts,
        }
    }

    /// Whether a refund that seems to be external may be a refund of ours. Two conditions must hold. The attribution
    /// window is open, and an open refund of ours has the same amount and no operation. If the operation has a
    /// `request_id` that is not the id of two requests of ours, the refund of ours must have no `request_id` from Gate.
    /// A refund that names a `merchant_refund_id` is never ours, because the id would have attributed it. `own` is the
    /// result of [`Self::unattributed_refunds`].
    pub(crate) fn may_be_own_refund(
        &self,
        refund: &Refund,
        own: &UnattributedRefunds<'_>,
        at: Timestamp,
    ) -> bool {
        let operation = refund.operation_id().and_then(|id| self.operation(id));
        let names_another = operation.is_some_and(|one| one.merchant_refund_id().is_some());
        refund.refund_id().is_none()
            && !names_another
            && !self.is_unattributed_return(refund)
            && refund.created_at().after(ATTRIBUTION_WINDOW) > at
            && own.may_own(refund.amount(), operation.and_then(Operation::request_id))
    }

    /// Returns the time at which the first open attribution window ends; `None` if no window is open. The refund of
    /// this window is then emitted as external.
    pub(in crate::model) fn attribution_window_end(&self) -> Option<Timestamp> {
        let own = self.unattributed_refunds();
        let is_withheld = |refund: &&Refund| {
            let is_emitted = refund.emitted().status == Some(refund.status());
            !is_emitted && self.may_be_own_refund(refund, &own, self.updated_at())
        };
        let withheld = self.refunds.iter().filter(is_withheld);
        let ends = withheld.map(|refund| refund.created_at().after(ATTRIBUTION_WINDOW));
        ends.min()
    }
}
