//! Finds the refund that each return (`refund reverse`) takes back, and decides whether the return counts.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::attribution::{Attributed, OwnRefunds, RefundKey};
use super::refund::Refund;
use crate::model::ledger::RefundAmounts;
use crate::model::payment::Payment;
use crate::model::reported::evidence::Evidence;
use crate::model::reported::operation::Operation;

#[derive(Default)]
struct SameAmount<'a> {
    /// `operation.date` and key of each refund; sorted.
    refunds: Vec<(&'a str, &'a RefundKey)>,
    /// `operation.date` of each return without a `merchant_refund_id`; sorted.
    returns: Vec<&'a str>,
}

impl<'a> SameAmount<'a> {
    /// Returns the refund to which a return with this date must belong. The return has no `merchant_refund_id`.
    /// Returns `None` if there are several refunds or several such returns up to this date, or no refund.
    fn only_match(&self, date: &str) -> Option<&'a RefundKey> {
        let has_rival = self.returns.get(1).is_some_and(|other| *other <= date);
        let has_second = self.refunds.get(1).is_some_and(|(other, _)| *other <= date);
        let (refunded, key) = self.refunds.first()?;
        (*refunded <= date && !has_rival && !has_second).then_some(*key)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Returns {
    pub(in crate::model) amount: u64,
    /// The amount by which returns in signed answers exceed the refunds to which they belong.
    pub(in crate::model) signed_excess: u64,
    /// The amount of returns that only callbacks report and that belong to no single refund. This amount does not count
    /// until a signed answer lists these returns. A return that the newest signed answer does not list is left out.
    pub(crate) withheld: u64,
    /// The ids of the returns that only callbacks report, and that exceed their refund or belong to no single refund.
    pub(crate) unexplained: BTreeSet<String>,
}

impl Payment {
    /// Decides which returns count. A return that belongs to a refund counts up to the amount of this refund. Any
    /// other return counts only if a signed answer lists it, because this answer also lists the refund. If only a
    /// callback reports the return, the report of the refund can still arrive.
    pub(crate) fn returns(&self) -> Returns {
        let mut returns = Returns::default();
        if self.successful_returns().next().is_none() {
            return returns;
        }
        let amounts = RefundAmounts::of(self);
        let amount_of =
            |(id, operation): (&String, &Operation)| amounts.of_operation(id, operation);
        let (refunds, attributed) = self.attributed(&amounts);
        let refunded: BTreeMap<&String, u64> = self
            .counted_refunds()
            .map(|(id, operation)| (id, amount_of((id, operation))))
            .collect();
        let mut unattributed: BTreeMap<&String, &Operation> = self.successful_returns().collect();
        for (key, ids) in &attributed {
            let of_refund = refunds.get(key).into_iter().flatten();
            let refunded = of_refund
                .filter_map(|id| refunded.get(id).copied())
                .fold(0, u64::saturating_add);
            let operations = ids.iter().filter_map(|id| unattributed.remove_entry(id));
            let (signed, unsigned): (Vec<_>, Vec<_>) =
                operations.partition(|(_, one)| one.is_signed());
            let total = |some: &[(&String, &Operation)]| {
                let amounts = some.iter().copied().map(amount_of);
                amounts.fold(0, u64::saturating_add)
            };
            let (returned, by_answers) = (total(&unsigned), total(&signed));
            let returned = returned.saturating_add(by_answers);
            returns.amount = returns.amount.saturating_add(returned.min(refunded));
            let excess = by_answers.saturating_sub(refunded);
            returns.signed_excess = returns.signed_excess.saturating_add(excess);
            if returned > refunded {
                let ids = unsigned.into_iter().map(|(id, _)| id.clone());
                returns.unexplained.extend(ids);
            }
        }
        for (id, operation) in unattributed {
            match operation.is_signed() {
                true => returns.amount = returns.amount.saturating_add(amount_of((id, operation))),
                false => {
                    if self.evidence_of(operation) != Evidence::Contradictory {
                        let amount = amount_of((id, operation));
                        returns.withheld = returns.withheld.saturating_add(amount);
                    }
                    returns.unexplained.insert(id.clone());
                }
            }
        }
        returns
    }

    /// Attributes each successful return to the refund with the same `merchant_refund_id`, or to a further success of
    /// this refund if the refund has been returned already. A return without a
    /// `merchant_refund_id` belongs to the only refund that has the same amount and is not newer than the return. A
    /// return without a single match is left out.
    pub(super) fn attributed_returns(
        &self,
        own_refunds: &OwnRefunds<'_>,
        refunds: &Attributed,
        amounts: &RefundAmounts<'_>,
    ) -> Attributed {
        let mut by_amount: BTreeMap<u64, SameAmount<'_>> = BTreeMap::new();
        for (key, ids) in refunds {
            if let Some((amount, date)) = self.amount_and_date(ids, amounts) {
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
        let has_named = self
            .successful_returns()
            .any(|(_, operation)| operation.merchant_refund_id().is_some());
        let further = match has_named {
            true => self.further_successes(own_refunds, refunds),
            false => BTreeMap::new(),
        };
        // The amount of each refund that no return has taken back yet. It is not computed anew for each return, because
        // there can be thousands.
        let rooms: BTreeMap<&RefundKey, Cell<u64>> = refunds
            .iter()
            .filter(|_| has_named)
            .map(|(key, ids)| (key, Cell::new(self.successful_amount(ids, amounts))))
            .collect();
        let rooms_of = |refund_id: &str| -> Vec<(&RefundKey, &Cell<u64>)> {
            let further = further.get(refund_id).into_iter().flatten();
            let further = further.map(|id| RefundKey::External((*id).clone()));
            let keys = std::iter::once(RefundKey::Own(refund_id.to_owned())).chain(further);
            let keys = keys.filter_map(|key| refunds.get_key_value(&key));
            keys.filter_map(|(key, _)| Some((key, rooms.get(key)?)))
                .collect()
        };
        let mut rooms_of_named = BTreeMap::new();
        for (id, operation) in self.successful_returns() {
            let amount = amounts.of_operation(id, operation);
            let key = match operation.merchant_refund_id() {
                Some(named) => own_refunds.named(named).map(|refund_id| {
                    let rooms = rooms_of_named
                        .entry(refund_id)
                        .or_insert_with(|| rooms_of(refund_id));
                    let mut rooms = rooms.iter();
                    match rooms.find(|(_, room)| amount <= room.get()) {
                        Some((key, _)) => (*key).clone(),
                        None => RefundKey::Own(refund_id.to_owned()),
                    }
                }),
                None => operation
                    .date()
                    .and_then(|date| by_amount.get(&amount)?.only_match(date).cloned()),
            };
            if let Some(key) = key {
                if let Some(room) = rooms.get(&key) {
                    room.set(room.get().saturating_sub(amount));
                }
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

    /// Returns the amount and the first `operation.date` of the successful operation with the greatest amount; `None`
    /// if no operation succeeded.
    fn amount_and_date(&self, ids: &[String], amounts: &RefundAmounts<'_>) -> Option<(u64, &str)> {
        let successful = |id: &String| {
            let operation = self.operation(id)?;
            let amount = amounts.of_operation(id, operation);
            let date = operation.first_date()?;
            operation.has_succeeded().then_some((amount, date))
        };
        ids.iter().filter_map(successful).max()
    }

    fn successful_amount(&self, ids: &[String], amounts: &RefundAmounts<'_>) -> u64 {
        let amount = |id: &String| {
            let operation = self.operation(id).filter(|one| one.has_succeeded())?;
            Some(amounts.of_operation(id, operation))
        };
        let amounts = ids.iter().filter_map(amount);
        amounts.fold(0, u64::saturating_add)
    }

    /// Whether a [`Refund`] stands for a return that matches no single refund.
    pub(crate) fn is_unattributed_return(&self, refund: &Refund) -> bool {
        let operation = refund.operation_id().and_then(|id| self.operation(id));
        operation.is_some_and(Operation::is_refund_reversal)
    }
}
