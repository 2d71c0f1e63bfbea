//! Implements the attribution window. A refund that seems to be external can turn out to be ours. Therefore the refund
//! causes no event during this window.

use std::collections::BTreeSet;
use std::time::Duration;

use super::attribution::OwnRefunds;
use super::refund::Refund;
use crate::model::payment::Payment;
use crate::model::reported::operation::Operation;
use crate::model::timestamp::Timestamp;

/// The length of the window, which begins when the refund is first reported. If the refund is ours, the callback with
/// the `merchant_refund_id` arrives within this time.
const ATTRIBUTION_WINDOW: Duration = Duration::from_secs(15 * 60);

/// The open refunds of ours that have no operation. An operation that names no refund can belong to one of them.
pub(crate) struct UnattributedRefunds<'a> {
    amounts: BTreeSet<u64>,
    /// The amounts of the refunds for which Gate has returned no `request_id`.
    amounts_without_request: BTreeSet<u64>,
    /// All refunds of ours; `None` if every open refund of ours has an operation.
    own: Option<OwnRefunds<'a>>,
}

impl UnattributedRefunds<'_> {
    /// Whether an operation with this amount and `request_id` can belong to one of the refunds. A shared `request_id`
    /// ([`OwnRefunds::is_shared`]) excludes no refund. The `request_id` of one refund excludes all: the operation is a
    /// further success of this refund. Any other `request_id` excludes the refunds that have a `request_id`.
    fn may_own(&self, amount: u64, request_id: Option<&str>) -> bool {
        let own = self.own.as_ref();
        let is_shared = |id: &str| own.is_some_and(|own| own.is_shared(id));
        let is_request = |id: &str| own.is_some_and(|own| own.is_request(id));
        if request_id.is_some_and(|id| is_request(id) && !is_shared(id)) {
            return false;
        }
        match request_id.is_none_or(is_shared) {
            true => self.amounts.contains(&amount),
            false => self.amounts_without_request.contains(&amount),
        }
    }
}

impl Payment {
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

    /// Whether a refund that seems to be external can be ours. All of these conditions must hold:
    /// - The attribution window is open.
    /// - The operation of the refund has no `merchant_refund_id`, and is not a return.
    /// - An open refund of ours has the same amount, has no operation, and is not excluded by its `request_id`.
    ///
    /// `own` is the result of [`Self::unattributed_refunds`].
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

    /// Returns when the first open attribution window ends. At this time, the refund is emitted as external. Returns
    /// `None` if no window is open.
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
