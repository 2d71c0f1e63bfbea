//! What speaks against taking money as paid, and what operators say about it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Operation, Outcome, Payment};
use crate::timestamp::Timestamp;

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
    /// An operation on money that we do not know.
    UnknownOperation,
    /// More than one sale succeeded.
    PaidTwice,
    /// The platform's own answers contradict each other.
    Contradiction,
}

/// Something that speaks against taking money as paid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Doubt {
    /// The operation that moved the money.
    pub operation_id: String,
    /// Why it is doubted.
    pub reason: QuarantineReason,
    /// How much it is said to be.
    pub amount: Option<u64>,
}

/// An operator's word about doubts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What was decided.
    pub verdict: Verdict,
    /// Who said so.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// About what; a doubt that comes up later is not among these.
    pub doubts: BTreeSet<Doubt>,
}

/// What an operator can say about doubts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The money is taken as paid, whatever there is to say against it.
    Released,
    /// It goes back.
    Rejected,
}

impl Operation {
    /// `sales`: how many sales of the payment succeeded.
    fn reasons_to_doubt(&self, sales: usize) -> BTreeSet<QuarantineReason> {
        let mut reasons = match self.outcome {
            Outcome::Succeeded => self.doubts.clone(),
            Outcome::Pending | Outcome::Declined => BTreeSet::new(),
        };
        if sales == 0 && self.took_money && self.outcome == Outcome::Succeeded {
            reasons.insert(QuarantineReason::UnknownOperation);
        }
        if sales > 1 && self.is_successful_sale() {
            reasons.insert(QuarantineReason::PaidTwice);
        }
        if self.confirmed && self.conflict {
            reasons.insert(QuarantineReason::Contradiction);
        }
        reasons
    }
}

impl Payment {
    /// Why the money is not taken as paid; empty if it is, or if there is none.
    pub fn quarantine(&self) -> BTreeSet<QuarantineReason> {
        self.doubts()
            .into_iter()
            .map(|doubt| doubt.reason)
            .collect()
    }

    /// What speaks against taking the money as paid, and no operator has settled.
    pub fn doubts(&self) -> BTreeSet<Doubt> {
        if self.order.is_none() {
            return BTreeSet::new();
        }
        let sales = self.successful_sales().count();
        let is_settled = |doubt: &Doubt| self.has_verdict(Verdict::Released, doubt);
        let of_each = self.operations.iter().flat_map(|(id, operation)| {
            let reasons = operation.reasons_to_doubt(sales);
            reasons.into_iter().map(move |reason| Doubt {
                operation_id: id.clone(),
                reason,
                amount: operation.amount,
            })
        });
        of_each.filter(|doubt| !is_settled(doubt)).collect()
    }

    fn has_verdict(&self, verdict: Verdict, doubt: &Doubt) -> bool {
        let mut decisions = self.decisions.iter();
        decisions.any(|decision| decision.verdict == verdict && decision.doubts.contains(doubt))
    }

    /// Whether money of it that was rejected went back, or is on its way.
    pub(crate) fn is_going_back(&self) -> bool {
        let doubts = self.doubts();
        let mut doubts = doubts.iter();
        doubts.any(|doubt| self.has_verdict(Verdict::Rejected, doubt))
            && self.refunded_amount() + self.pending_refund_amount() > 0
    }

    /// Whether everything doubtful about it was rejected, and went back.
    pub fn is_rejected(&self) -> bool {
        let doubts = self.doubts();
        let is_rejected = |doubt: &Doubt| self.has_verdict(Verdict::Rejected, doubt);
        !doubts.is_empty()
            && doubts.iter().all(is_rejected)
            && self.refunded_amount() >= self.paid_amount()
    }
}
