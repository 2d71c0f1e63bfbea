//! Decides which items put a payment into quarantine.

use std::collections::BTreeSet;

use ecommpay::report::Sum;

use super::{AllItems, Decision, QuarantineItem, QuarantineReason, Verdict, digest_of_all};
use crate::model::order::Order;
use crate::model::payment::Payment;
use crate::model::refunds::refund::Refund;
use crate::model::refunds::refund_status::RefundStatus;
use crate::model::reported::evidence::Evidence;
use crate::model::reported::operation::Operation;
use crate::model::status::sale_state::SaleState;

/// The quarantine items of one payment, while they are collected.
struct Items<'a> {
    order: &'a Order,
    items: BTreeSet<QuarantineItem>,
}

impl Items<'_> {
    fn add(&mut self, reason: QuarantineReason, operation_id: Option<&str>, sum: Option<&Sum>) {
        self.items.insert(QuarantineItem {
            reason,
            operation_id: operation_id.map(str::to_owned),
            reported: sum.cloned(),
            status: None,
        });
    }

    /// Adds the item of a successful sale that a `payment.status` contests. The status is part of the item, so that a
    /// release of one status does not settle another status.
    fn add_contested(&mut self, sale_id: &str, status: &str) {
        self.items.insert(QuarantineItem {
            reason: QuarantineReason::StatusDiffers,
            operation_id: Some(sale_id.to_owned()),
            reported: None,
            status: Some(status.to_owned()),
        });
    }

    /// Adds the differences between a sum and the order.
    fn add_differences(&mut self, operation_id: Option<&str>, sum: &Sum) {
        if sum.currency != self.order.currency.code() {
            self.add(QuarantineReason::CurrencyDiffers, operation_id, Some(sum));
        }
        if sum.amount != self.order.amount.get() {
            self.add(QuarantineReason::AmountDiffers, operation_id, Some(sum));
        }
    }
}

impl Payment {
    /// Returns the digest of the items in quarantine; `None` if there is no item.
    pub(crate) fn quarantine_digest(&self) -> Option<String> {
        let items = self.quarantine();
        (!items.is_empty()).then(|| digest_of_all(&items))
    }

    /// Returns the reasons of the items that no operator has released.
    pub fn quarantine_reasons(&self) -> BTreeSet<QuarantineReason> {
        let items = self.quarantine().into_iter();
        items.map(|item| item.reason).collect()
    }

    /// Returns the items that no operator has released. If no such item remains, but a rejection holds and not all the
    /// money was refunded, the rejection is the only item. This item lets an operator reject the money again, or
    /// release it.
    pub fn quarantine(&self) -> BTreeSet<QuarantineItem> {
        let mut items = self.without_verdict(Verdict::Released, self.all_quarantine_items());
        if items.is_empty() && self.has_rejection() && self.has_money() && !self.is_fully_refunded()
        {
            items.insert(QuarantineItem {
                reason: QuarantineReason::Rejected,
                operation_id: None,
                reported: None,
                status: None,
            });
        }
        items
    }

    /// Whether a rejection holds, all the money was refunded, and operators rejected every item. Any other item needs a
    /// review, even if no money is left.
    pub fn is_rejected(&self) -> bool {
        self.has_rejection()
            && self.has_money()
            && self.is_fully_refunded()
            && self
                .without_verdict(Verdict::Rejected, self.quarantine())
                .is_empty()
    }

    /// Whether operators rejected the money after the last release. The rejection holds until a release, even if
    /// reports remove the rejected items. The rejection of another system's payment does not hold for a later sale of
    /// ours, unless the refund of a rejection is open or succeeded.
    fn has_rejection(&self) -> bool {
        let newest = self.decisions.iter().rev();
        let rejections = newest.take_while(|decision| decision.verdict == Verdict::Rejected);
        let digests: BTreeSet<&String> = rejections.clone().flat_map(|one| &one.items).collect();
        rejections.clone().next().is_some()
            && !self.is_foreign()
            && (!self.has_foreign_item(&digests) || self.is_refunded_by_rejection())
    }

    /// Whether one of these digests belongs to the item `foreign_payment` of an operation.
    fn has_foreign_item(&self, digests: &BTreeSet<&String>) -> bool {
        let mut operations = self.operations();
        operations.any(|(id, operation)| {
            let item = QuarantineItem::foreign(id, operation.sum());
            digests.contains(&item.digest())
        })
    }

    /// Whether another system made the payment, and operators rejected every item. Such a rejection sends no refund.
    pub(crate) fn is_rejected_foreign(&self) -> bool {
        let items = self.quarantine();
        self.is_foreign()
            && !items.is_empty()
            && self.without_verdict(Verdict::Rejected, items).is_empty()
    }

    /// Whether a rejection is refunding money, or has refunded money that was not returned.
    pub(crate) fn is_refunded_by_rejection(&self) -> bool {
        let mut refunds = self.refunds_of_rejections();
        refunds.any(|refund| {
            refund.status().is_reserved() || refund.status() == RefundStatus::Succeeded
        })
    }

    /// Returns the refunds that rejections created.
    pub fn refunds_of_rejections(&self) -> impl DoubleEndedIterator<Item = &Refund> {
        let refunds = self.refunds.iter();
        refunds.filter(|refund| refund.is_of_rejection())
    }

    /// Returns the items that no decision with this verdict settles.
    pub(crate) fn without_verdict(
        &self,
        verdict: Verdict,
        items: BTreeSet<QuarantineItem>,
    ) -> BTreeSet<QuarantineItem> {
        let items = self.without_listed(verdict, items);
        let decisions = self.decisions_with(verdict);
        let mut together = decisions
            .filter_map(|decision| decision.all_items.as_ref())
            .peekable();
        if together.peek().is_some() && !items.is_empty() {
            let all = AllItems::of(&items);
            if together.any(|settled| *settled == all) {
                return BTreeSet::new();
            }
        }
        items
    }

    /// Returns the items that no decision with this verdict lists.
    fn without_listed(
        &self,
        verdict: Verdict,
        mut items: BTreeSet<QuarantineItem>,
    ) -> BTreeSet<QuarantineItem> {
        if self.decisions_with(verdict).next().is_some() {
            items.retain(|item| {
                let digest = item.digest();
                let mut decisions = self.decisions_with(verdict);
                !decisions.any(|decision| decision.items.contains(&digest))
            });
        }
        items
    }

    /// Whether a release lists an item.
    pub(super) fn is_released(&self, item: &QuarantineItem) -> bool {
        let mut releases = self.decisions_with(Verdict::Released).peekable();
        releases.peek().is_some() && {
            let digest = item.digest();
            releases.any(|decision| decision.items.contains(&digest))
        }
    }

    fn decisions_with(&self, verdict: Verdict) -> impl Iterator<Item = &Decision> {
        let decisions = self.decisions.iter();
        decisions.filter(move |decision| decision.verdict == verdict)
    }

    /// Returns the items of a decision. The stored decision has only digests of the items. Therefore an item is left
    /// out if the stored facts no longer show it.
    pub fn items_of(&self, decision: &Decision) -> BTreeSet<QuarantineItem> {
        let Some(all) = &decision.all_items else {
            let mut items = self.all_quarantine_items();
            items.retain(|item| decision.items.contains(&item.digest()));
            return items;
        };
        let items = match decision.verdict {
            Verdict::Released => self.all_quarantine_items(),
            Verdict::Rejected => self.quarantine(),
        };
        let items = self.without_listed(decision.verdict, items);
        match *all == AllItems::of(&items) {
            true => items,
            false => BTreeSet::new(),
        }
    }

    /// Returns all items, released or not. A payment without an order has no items, because its money cannot be
    /// compared with an order.
    pub(super) fn all_quarantine_items(&self) -> BTreeSet<QuarantineItem> {
        let Some(order) = &self.order else {
            return BTreeSet::new();
        };
        let mut items = Items {
            order,
            items: BTreeSet::new(),
        };
        let sale_state = self.sale_state();
        if sale_state.is_counted() {
            self.add_sale_items(sale_state, &mut items);
        }
        let is_foreign = self.is_of_another_system();
        let by_hand = self.foreign_currencies();
        for (id, operation) in self.operations() {
            if operation.is_undocumented_capture() {
                let sum = operation.sum();
                items.add(QuarantineReason::UnknownOperation, Some(id), sum);
            }
            if is_foreign && self.took_money(operation) {
                items
                    .items
                    .insert(QuarantineItem::foreign(id, operation.sum()));
            }
            if operation.kind().is_about_refund() && operation.has_succeeded() {
                add_refund_items(id, operation, &by_hand, &mut items);
            }
        }
        for (id, operation) in self.differing_refunds() {
            if operation.is_signed() {
                items.add(QuarantineReason::RefundDiffers, Some(id), operation.sum());
            }
        }
        self.add_excess_returns(&mut items);
        items.items
    }

    fn took_money(&self, operation: &Operation) -> bool {
        let is_sale = operation.is_successful_sale() && self.sale_state().is_counted();
        is_sale || operation.is_undocumented_capture()
    }

    /// Adds the items about the money of the sales.
    fn add_sale_items(&self, sale_state: SaleState, items: &mut Items<'_>) {
        let sales = || {
            let operations = self.operations();
            operations.filter(|(_, operation)| operation.is_successful_sale())
        };
        let is_paid_twice = sales().nth(1).is_some();
        let contesting = self.newest_sale_status();
        let contesting = contesting.filter(|_| sale_state == SaleState::Contested);
        for (id, sale) in sales() {
            let sums: Vec<&Sum> = sale.successful_sums().collect();
            if sums.is_empty() {
                items.add(QuarantineReason::AmountMissing, Some(id), None);
            }
            for sum in sums {
                items.add_differences(Some(id), sum);
            }
            if is_paid_twice {
                items.add(QuarantineReason::PaidTwice, Some(id), sale.sum());
            }
            if let Some(status) = contesting {
                items.add_contested(id, status);
            }
        }
        for sum in self.differing_payment_sums() {
            items.add_differences(None, &sum);
        }
        if self.has_other_differing_payment_sums() {
            items.add(QuarantineReason::AmountDiffers, None, None);
        }
        if self.is_payment_sum_missing() {
            items.add(QuarantineReason::AmountMissing, None, None);
        }
        for (id, operation) in self.operations() {
            let is_contradictory = self.evidence_of(operation) == Evidence::Contradictory;
            if is_contradictory && !operation.is_confirmation() {
                items.add(QuarantineReason::Contradiction, Some(id), operation.sum());
            }
        }
    }

    /// Adds an item if the returns in signed answers exceed the refunds.
    fn add_excess_returns(&self, items: &mut Items<'_>) {
        let amount = self.confirmed_excess_returns();
        if amount > 0 {
            let currency = self.currency().unwrap_or_default().to_owned();
            let excess = Sum { amount, currency };
            let reason = QuarantineReason::ReturnedExceedsRefunded;
            items.add(reason, None, Some(&excess));
        }
    }
}

/// Adds an item if a refund, a reversal or a return has no sum, or a sum in another currency. Any amount is allowed,
/// because a refund can be partial. But a return of 0 returns nothing, so its amount counts as missing. `by_hand` has
/// the other currencies in which money arrived. A refund in such a currency needs no item, because an employee refunded
/// this money by hand.
fn add_refund_items(
    id: &str,
    refund: &Operation,
    by_hand: &BTreeSet<String>,
    items: &mut Items<'_>,
) {
    match refund.sum() {
        None => items.add(QuarantineReason::AmountMissing, Some(id), None),
        Some(sum) if refund.gives_back() && by_hand.contains(&sum.currency) => {}
        Some(sum) if sum.currency != items.order.currency.code() => {
            items.add(QuarantineReason::CurrencyDiffers, Some(id), Some(sum));
        }
        Some(sum) if sum.amount == 0 && refund.is_refund_reversal() => {
            items.add(QuarantineReason::AmountMissing, Some(id), Some(sum));
        }
        Some(_) => {}
    }
}
