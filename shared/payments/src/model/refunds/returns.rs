//! Finds the refund that a return (an operation `refund reverse`) takes back.

use super::attribution::{Attributed, OwnRefunds, RefundKey};
use super::refund::Refund;
use crate::model::payment::Payment;
use crate::model::reported::operation::Operation;

/// A refund that a return can match.
struct Candidate<'a> {
    key: &'a RefundKey,
    amount: u64,
    /// `operation.date` of the successful refund operation.
    date: &'a str,
}

impl Payment {
    /// Attributes each successful return to the refund with the same `merchant_refund_id`. A return without a
    /// `merchant_refund_id` belongs to the only refund that has the same amount and is not newer than the return. A
    /// return that matches no refund or several refunds is left out. `refunds` contains the attributed refund
    /// operations.
    pub(super) fn attributed_returns(&self, refunds: &Attributed) -> Attributed {
        let own_refunds = OwnRefunds::of(self);
        let candidates: Vec<Candidate<'_>> = refunds
            .iter()
            .filter_map(|(key, ids)| self.return_candidate(key, ids))
            .collect();
        let mut attributed = Attributed::new();
        for (id, operation) in self.successful_returns() {
            let key = match operation.merchant_refund_id() {
                Some(named) => {
                    let refund_id = own_refunds.named(named);
                    refund_id.map(|refund_id| RefundKey::Own(refund_id.to_owned()))
                }
                None => self.only_match(id, operation, &candidates),
            };
            if let Some(key) = key {
                attributed.entry(key).or_default().push(id.clone());
            }
        }
        attributed
    }

    pub(in crate::model) fn successful_returns(
        &self,
    ) -> impl Iterator<Item = (&String, &Operation)> {
        let operations = self.reported.operations.iter();
        operations
            .filter(|(_, operation)| operation.is_refund_reversal() && operation.has_succeeded())
    }

    /// Returns a refund with the amount and the date of its successful operation; `None` if no operation succeeded.
    fn return_candidate<'a>(&'a self, key: &'a RefundKey, ids: &[String]) -> Option<Candidate<'a>> {
        let successful = |id: &String| {
            let operation = self.operation(id)?;
            let amount = self.refunded_by(id, operation);
            let date = operation.date()?;
            operation.has_succeeded().then_some((amount, date))
        };
        let (amount, date) = ids.iter().filter_map(successful).max()?;
        Some(Candidate { key, amount, date })
    }

    /// Returns the only refund that has the amount of the return `id` and is not newer than this return. The return has
    /// no `merchant_refund_id`. Returns `None` if another return without a `merchant_refund_id` has the same amount and
    /// is not newer than this return, because either return can belong to the refund.
    fn only_match(
        &self,
        id: &str,
        operation: &Operation,
        candidates: &[Candidate<'_>],
    ) -> Option<RefundKey> {
        let date = operation.date()?;
        let amount = self.refunded_by(id, operation);
        let mut matching = candidates
            .iter()
            .filter(|candidate| candidate.amount == amount && candidate.date <= date);
        let mut rivals = self.successful_returns().filter(|(id, other)| {
            let is_earlier = other.date().is_some_and(|other| other <= date);
            let has_no_id = other.merchant_refund_id().is_none();
            has_no_id && is_earlier && self.refunded_by(id, other) == amount
        });
        // The rivals include the return itself.
        match (matching.next(), matching.next(), rivals.nth(1)) {
            (Some(only), None, None) => Some(only.key.clone()),
            _ => None,
        }
    }

    /// Whether a [`Refund`] is the entry of a return that matches no single refund.
    pub(crate) fn is_unattributed_return(&self, refund: &Refund) -> bool {
        let operation = refund.operation_id().and_then(|id| self.operation(id));
        operation.is_some_and(Operation::is_refund_reversal)
    }
}
