//! The money of a payment, added up from its operations and refunds.
//!
//! `payment.sum` of a report is never computed with: after a refund it is the remainder in one
//! documentation and the original amount in another.

use crate::payment::{Operation, Outcome, Payment, Refund};

impl Operation {
    /// Whether this operation took money from the shopper.
    pub fn is_successful_sale(&self) -> bool {
        self.kind == "sale" && self.outcome == Outcome::Succeeded
    }

    /// Whether this operation gives money back.
    pub fn is_refund(&self) -> bool {
        matches!(self.kind.as_str(), "refund" | "reversal")
    }
}

impl Payment {
    /// What was paid: the successful sales, as the platform says.
    pub fn paid_amount(&self) -> u64 {
        self.payings()
            .filter_map(|operation| operation.amount)
            .fold(0, u64::saturating_add)
    }

    /// The operations that took the money: the successful sales; where there is none, what the
    /// platform's signed word says it was.
    pub fn payings(&self) -> impl Iterator<Item = &Operation> {
        let has_sale = self.successful_sales().next().is_some();
        self.operations.values().filter(move |operation| {
            operation.is_successful_sale()
                || !has_sale && operation.took_money && operation.outcome == Outcome::Succeeded
        })
    }

    /// What went back: successful refunds and reversals, each operation counted once.
    pub fn refunded_amount(&self) -> u64 {
        let done = self.operations.iter().filter(|(_, operation)| {
            operation.is_refund() && operation.outcome == Outcome::Succeeded
        });
        done.map(|(id, operation)| self.given_back_by(id, operation))
            .fold(0, u64::saturating_add)
    }

    /// How much a refund gives back: what its operation says; where that says nothing, or says it
    /// in another currency than was paid, what we asked for, and nothing if it was not ours.
    pub(crate) fn given_back_by(&self, id: &str, operation: &Operation) -> u64 {
        let same_currency = |currency: &str| self.currency().is_none_or(|paid| paid == currency);
        let as_said = operation
            .amount
            .filter(|_| operation.currency.as_deref().is_some_and(same_currency));
        let asked_for = || {
            let ours = |refund: &&Refund| refund.refund_id.is_some() && refund.is_made_by(id);
            let refund = self.refunds.iter().find(ours);
            refund.map_or(0, |refund| refund.amount)
        };
        as_said.unwrap_or_else(asked_for)
    }

    /// How much the refund at an index gives back, as far as it is known.
    pub(crate) fn amount_of_refund(&self, index: usize) -> u64 {
        let Some(refund) = self.refunds.get(index) else {
            return 0;
        };
        let id = refund.operation_id.as_ref();
        let operation = id.and_then(|id| Some((id, self.operations.get(id)?)));
        operation.map_or(refund.amount, |(id, operation)| {
            self.given_back_by(id, operation)
        })
    }

    /// The currency that was ordered, or else paid.
    pub(crate) fn currency(&self) -> Option<&str> {
        let ordered = self.order.as_ref().map(|order| order.currency.code());
        ordered.or_else(|| self.payings().find_map(|one| one.currency.as_deref()))
    }

    /// What is held back for refunds that are not settled.
    pub fn pending_refund_amount(&self) -> u64 {
        self.refunds
            .iter()
            .filter(|refund| refund.status.is_reserved())
            .map(|refund| refund.amount)
            .fold(0, u64::saturating_add)
    }

    /// What can still be refunded.
    pub fn refundable_amount(&self) -> u64 {
        self.paid_amount()
            .saturating_sub(self.refunded_amount())
            .saturating_sub(self.pending_refund_amount())
    }
}
