//! The money of a payment, added up from its operations and refunds.
//!
//! `payment.sum` of a report is never computed with: after a refund it is the remainder in one
//! documentation and the original amount in another.

use crate::payment::{Operation, Outcome, Payment};

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
        self.sum_of(Operation::is_successful_sale)
    }

    /// What went back: successful refunds and reversals, each operation counted once.
    pub fn refunded_amount(&self) -> u64 {
        self.sum_of(|operation| operation.is_refund() && operation.outcome == Outcome::Succeeded)
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

    fn sum_of(&self, counts: impl Fn(&Operation) -> bool) -> u64 {
        self.operations
            .values()
            .filter(|operation| counts(operation))
            .filter_map(|operation| operation.amount)
            .fold(0, u64::saturating_add)
    }
}
