//! Finds the further successes of a refund: the platform made a refund of ours more than once. Each further success
//! counts as an external refund, because each has moved money.

use std::collections::BTreeMap;

use super::attribution::{Attributed, OwnRefunds, RefundKey};
use super::refund::Refund;
use crate::model::ids::MerchantId;
use crate::model::payment::Payment;
use crate::model::reported::operation::Operation;
use crate::model::reported::texts::digest_of_id;

impl Payment {
    /// Leaves each refund of ours at most one successful operation: the earliest one, preferably with the requested
    /// amount. Makes the other successful operations external refunds. The choice depends only on the reports, so
    /// their order has no effect.
    pub(super) fn separate_further_successes(
        &self,
        own_refunds: &OwnRefunds<'_>,
        attributed: &mut Attributed,
    ) {
        let has_succeeded = |id: &String| self.operation(id).is_some_and(Operation::has_succeeded);
        let mut further = Vec::new();
        for (key, ids) in attributed.iter_mut().filter(|(_, ids)| ids.len() > 1) {
            let RefundKey::Own(refund_id) = key else {
                continue;
            };
            let requested = own_refunds.get(refund_id).map(Refund::requested_amount);
            let rank = |id: &String| {
                let operation = self.operation(id)?;
                let differs = operation.amount().is_some_and(|one| Some(one) != requested);
                let ended_at = operation.ended_at();
                Some((differs, ended_at.is_none(), ended_at, id.len(), id.clone()))
            };
            let successes = ids.iter().filter(|id| has_succeeded(id));
            let Some(first) = successes.cloned().min_by_key(rank) else {
                continue;
            };
            further.extend(ids.extract_if(.., |id| *id != first && has_succeeded(id)));
        }
        let external = further.into_iter();
        attributed.extend(external.map(|id| (RefundKey::External(id.clone()), vec![id])));
    }

    /// Returns the further successes of each refund of ours, by its `refund_id`.
    pub(super) fn further_successes<'a>(
        &self,
        own_refunds: &OwnRefunds<'a>,
        attributed: &'a Attributed,
    ) -> BTreeMap<&'a str, Vec<&'a String>> {
        let mut further: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
        for key in attributed.keys() {
            if let RefundKey::External(id) = key
                && let Some(operation) = self.operation(id)
                && let Some(refund_id) = own_refunds.refund_of(operation)
            {
                further.entry(refund_id).or_default().push(id);
            }
        }
        further
    }

    /// Returns the ids of the further successes that only callbacks report.
    pub(crate) fn unconfirmed_further_successes(&self) -> Vec<String> {
        if self
            .refunds
            .iter()
            .all(|refund| refund.refund_id().is_none())
        {
            return Vec::new();
        }
        let own_refunds = OwnRefunds::of(self);
        let attributed = self.attributed_refunds(&own_refunds);
        let further = self.further_successes(&own_refunds, &attributed);
        let further = further.into_values().flatten();
        let is_unconfirmed = |id: &&String| !self.operation(id).is_some_and(Operation::is_signed);
        further.filter(is_unconfirmed).cloned().collect()
    }

    /// Returns the id of our refund of which an external refund is a further success.
    pub(crate) fn repeated_refund(&self, refund: &Refund) -> Option<&MerchantId> {
        let has_own = || self.refunds.iter().any(|one| one.refund_id().is_some());
        if refund.refund_id().is_some() || !has_own() {
            return None;
        }
        let operation = self.operation(refund.operation_id()?)?;
        let is_refund = operation.gives_back();
        let own_refunds = OwnRefunds::of(self);
        let refund_id = own_refunds.refund_of(operation).filter(|_| is_refund)?;
        own_refunds.get(refund_id)?.refund_id()
    }

    /// Whether an operation about a refund has this id as its `merchant_refund_id`.
    pub(crate) fn is_refund_id_reported(&self, refund_id: &MerchantId) -> bool {
        let folded = refund_id.as_str().to_ascii_lowercase();
        let digest = digest_of_id(&folded);
        let mut operations = self.reported.operations.values();
        operations.any(|operation| {
            let is_about_refund = operation.kind().is_about_refund();
            let named = operation.merchant_refund_id().filter(|_| is_about_refund);
            named.is_some_and(|named| named.eq_ignore_ascii_case(&folded) || named == digest)
        })
    }
}
