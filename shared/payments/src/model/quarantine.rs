//! Why money is not taken as paid, and what operators say about it.

use std::collections::BTreeSet;

use ecommpay::operation::OperationType;
use ecommpay::report::Sum;
use serde::{Deserialize, Serialize};

use super::status::SaleState;
use super::{Evidence, Operation, Payment};
use crate::model::timestamp::Timestamp;

/// Why money is not taken as paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuarantineReason {
    /// Another amount than ordered.
    AmountDiffers,
    /// Another currency than ordered.
    CurrencyDiffers,
    /// A success without an amount.
    AmountMissing,
    /// An operation that moved money in a way that is not known.
    UnknownOperation,
    /// More than one sale succeeded.
    PaidTwice,
    /// The platform's own answers contradict each other.
    Contradiction,
    /// The sale succeeded, and the platform's answer says that the payment did not.
    StatusDiffers,
    /// More was taken back of refunds than was refunded.
    ReturnedExceedsRefunded,
}

/// One thing that speaks against taking money as paid. An operator's decision settles exactly the
/// items that it lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QuarantineItem {
    /// Why.
    pub reason: QuarantineReason,
    /// The operation that it is about; `None` where it is about the payment as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// The sum that the platform reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<Sum>,
}

/// An operator's decision about quarantined money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What was decided.
    pub verdict: Verdict,
    /// Who decided.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// About what; an item that comes up later is not among these.
    pub items: BTreeSet<QuarantineItem>,
}

/// What an operator can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The money is taken as paid, whatever speaks against it.
    Released,
    /// It goes back.
    Rejected,
}

/// Collects the items of one payment.
struct Items(BTreeSet<QuarantineItem>);

impl Items {
    fn add(&mut self, reason: QuarantineReason, operation_id: Option<&str>, sum: Option<&Sum>) {
        self.0.insert(QuarantineItem {
            reason,
            operation_id: operation_id.map(str::to_owned),
            reported: sum.cloned(),
        });
    }

    /// How a sum differs from the order, if it does.
    fn add_difference(&mut self, payment: &Payment, operation_id: Option<&str>, sum: &Sum) {
        let Some(order) = &payment.order else { return };
        if sum.currency != order.currency.code() {
            self.add(QuarantineReason::CurrencyDiffers, operation_id, Some(sum));
        }
        if sum.amount != order.amount.get() {
            self.add(QuarantineReason::AmountDiffers, operation_id, Some(sum));
        }
    }
}

impl Payment {
    /// Why the money is not taken as paid; empty if it is, or if there is none.
    pub fn quarantine_reasons(&self) -> BTreeSet<QuarantineReason> {
        let items = self.quarantine().into_iter();
        items.map(|item| item.reason).collect()
    }

    /// What speaks against taking the money as paid and no operator has released.
    pub fn quarantine(&self) -> BTreeSet<QuarantineItem> {
        let mut items = self.all_quarantine_items();
        items.retain(|item| !self.has_verdict(Verdict::Released, item));
        items
    }

    /// What operators decided about quarantined money.
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    /// Notes what an operator decided.
    pub(crate) fn add_decision(&mut self, decision: Decision) {
        self.decisions.push(decision);
    }

    fn all_quarantine_items(&self) -> BTreeSet<QuarantineItem> {
        let mut items = Items(BTreeSet::new());
        if self.order.is_none() {
            return items.0;
        }
        let sale_state = self.sale_state();
        if matches!(sale_state, SaleState::Counts | SaleState::Contested) {
            self.sale_items(sale_state, &mut items);
        }
        for (id, operation) in &self.reported.operations {
            let id = Some(id.as_str());
            if operation.is_unknown_money() {
                let sum = operation.sum();
                items.add(QuarantineReason::UnknownOperation, id, sum);
            }
            if operation.gives_back() && operation.has_succeeded() {
                self.refund_items(id, operation, &mut items);
            }
        }
        let (refunded, returned) = self.refunded_and_returned();
        let is_signed = |one: &Operation| one.is_refund_reversal() && one.is_signed();
        if returned > refunded && self.reported.operations.values().any(is_signed) {
            let excess = Sum {
                amount: returned - refunded,
                currency: self.currency().unwrap_or_default().to_owned(),
            };
            items.add(
                QuarantineReason::ReturnedExceedsRefunded,
                None,
                Some(&excess),
            );
        }
        items.0
    }

    /// The items about the money that the sales took.
    fn sale_items(&self, sale_state: SaleState, items: &mut Items) {
        let sums = &self.reported.sums;
        let sales = || {
            let operations = self.reported.operations.iter();
            operations.filter(|(_, operation)| operation.is_successful_sale())
        };
        for (id, sale) in sales() {
            let id = Some(id.as_str());
            let successes = || sale.strongest().filter(|one| one.outcome == sale.outcome());
            let named = successes().filter_map(|one| one.sum_initial.as_ref());
            let named: Vec<&Sum> = named.collect();
            if named.is_empty() {
                items.add(QuarantineReason::AmountMissing, id, None);
            }
            for sum in named {
                items.add_difference(self, id, sum);
            }
            if sale_state == SaleState::Counts && sales().nth(1).is_some() {
                items.add(QuarantineReason::PaidTwice, id, sale.sum());
            }
        }
        for sum in sums.differing() {
            items.add_difference(self, None, &sum);
        }
        if self.is_sum_missing() {
            items.add(QuarantineReason::AmountMissing, None, None);
        }
        for (id, operation) in &self.reported.operations {
            let is_confirmation = *operation.kind() == OperationType::Confirmation;
            if !is_confirmation && operation.evidence() == Evidence::Contradictory {
                items.add(QuarantineReason::Contradiction, Some(id), operation.sum());
            }
        }
        if sale_state == SaleState::Contested {
            items.add(QuarantineReason::StatusDiffers, None, None);
        }
    }

    /// A part may go back, but it says how much, and in the currency that was paid.
    fn refund_items(&self, id: Option<&str>, operation: &Operation, items: &mut Items) {
        let ordered = self.order.as_ref().map(|order| order.currency.code());
        match operation.sum() {
            None => items.add(QuarantineReason::AmountMissing, id, None),
            Some(sum) if Some(sum.currency.as_str()) != ordered => {
                items.add(QuarantineReason::CurrencyDiffers, id, Some(sum));
            }
            Some(_) => {}
        }
    }

    pub(super) fn has_verdict(&self, verdict: Verdict, item: &QuarantineItem) -> bool {
        let mut decisions = self.decisions.iter();
        decisions.any(|decision| decision.verdict == verdict && decision.items.contains(item))
    }

    /// Whether everything that speaks against its money was rejected, and the money went back.
    pub fn is_rejected(&self) -> bool {
        let items = self.quarantine();
        let is_rejected = |item: &QuarantineItem| self.has_verdict(Verdict::Rejected, item);
        !items.is_empty() && items.iter().all(is_rejected) && self.has_all_gone_back()
    }
}
