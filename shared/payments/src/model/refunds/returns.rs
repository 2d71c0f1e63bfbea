//! Finds the refund that a return (an operation `refund reverse`) takes back.

use std::collections::BTreeMap;

use super::attribution::{Attributed, OwnRefunds, RefundKey};
use super::refund::Refund;
use crate::model::ledger::RefundAmounts;
use crate::model::payment::Payment;
use crate::model::reported::operation::Operation;

/// The refunds and the returns of the same amount.
#[derive(Default)]
struct SameAmount<'a> {
    /// `operation.date` of each refund, with the key of the refund; sorted.
    refunds: Vec<(&'a str, &'a RefundKey)>,
    /// `operation.date` of each return without a `merchant_refund_id`; sorted.
    returns: Vec<&'a str>,
}

impl<'a> SameAmount<'a> {
    /// Returns the only refund that is not newer than a return with this date. The return has no `merchant_refund_id`.
    /// Returns `None` if another return without a `merchant_refund_id` is not newer than this return, because either
    /// return can belong to the refund.
    fn only_match(&self, date: &str) -> Option<&'a RefundKey> {
        let has_rival = self.returns.get(1).is_some_and(|other| *other <= date);
        let has_second = self.refunds.get(1).is_some_and(|(other, _)| *other <= date);
        let (refunded, key) = self.refunds.first()?;
        (*refunded <= date && !has_rival && !has_second).then_some(*key)
    }
}

impl Payment {
    /// Attributes each successful return to the refund with the same `merchant_refund_id`. A return without a
    /// `merchant_refund_id` belongs to the only refund that has the same amount and is not newer than the return. A
    /// return that matches no refund or several refunds is left out. `refunds` contains the attributed refund
    /// operations.
    pub(super) fn attributed_returns(&self, refunds: &Attributed) -> Attributed {
        let own_refunds = OwnRefunds::of(self);
        let amounts = RefundAmounts::of(self);
        let mut by_amount: BTreeMap<u64, SameAmount<'_>> = BTreeMap::new();
        for (key, ids) in refunds {
            if let Some((amount, date)) = self.amount_and_date(ids, &amounts) {
                by_amount
                    .entry(amount)
                    .or_default()
                    .refunds
                    .push((date, key));
            }
        }
        for (id, operation) in self.successful_returns() {
            if let (None, Some(date)) = (operation.merchant_refund_id(), operation.date()) {
                let amount = amounts.of_operation(id, operation);
                by_amount.entry(amount).or_default().returns.push(date);
            }
        }
        for same in by_amount.values_mut() {
            same.refunds.sort_unstable();
            same.returns.sort_unstable();
        }
        let mut attributed = Attributed::new();
        for (id, operation) in self.successful_returns() {
            let key = match operation.merchant_refund_id() {
                Some(named) => {
                    let refund_id = own_refunds.named(named);
                    refund_id.map(|refund_id| RefundKey::Own(refund_id.to_owned()))
                }
                None => operation.date().and_then(|date| {
                    let same = by_amount.get(&amounts.of_operation(id, operation))?;
                    same.only_match(date).cloned()
                }),
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

    /// Returns the amount and `operation.date` of a refund's successful operation; `None` if no operation succeeded.
    fn amount_and_date(&self, ids: &[String], amounts: &RefundAmounts<'_>) -> Option<(u64, &str)> {
        let successful = |id: &String| {
            let operation = self.operation(id)?;
            let amount = amounts.of_operation(id, operation);
            let date = operation.date()?;
            operation.has_succeeded().then_some((amount, date))
        };
        ids.iter().filter_map(successful).max()
    }

    /// Whether a [`Refund`] is the entry of a return that matches no single refund.
    pub(crate) fn is_unattributed_return(&self, refund: &Refund) -> bool {
        let operation = refund.operation_id().and_then(|id| self.operation(id));
        operation.is_some_and(Operation::is_refund_reversal)
    }
}
