//! Decides whether more was refunded than paid, and whether signed answers confirm it.

use crate::model::payment::Payment;
use crate::model::reported::evidence::Evidence;
use crate::model::reported::operation::Operation;

/// More was refunded than paid.
pub(crate) struct Overrefund {
    /// The refunded amount.
    pub(crate) refunded: u64,
    /// Whether the excess remains if the facts that only callbacks report are ignored. Otherwise a late callback about
    /// a return or another sale can still explain the excess.
    pub(crate) is_confirmed: bool,
}

impl Payment {
    /// Returns the excess; `None` if the refunded amount does not exceed the paid amount. A paid amount of 0 is
    /// compared only if the money did not arrive or a signed answer declined the sale. `refundable_amount` cannot show
    /// the excess, because this amount is never below 0.
    pub(crate) fn overrefund(&self) -> Option<Overrefund> {
        let refunded = self.refunded_amount();
        if refunded == 0 || self.is_foreign() {
            return None;
        }
        let paid = self.paid_amount();
        let is_unpaid = self.is_not_confirmed() || self.is_declined_by_answer();
        let is_excess = |refunded: u64| refunded > paid && (paid > 0 || is_unpaid);
        is_excess(refunded).then(|| Overrefund {
            refunded,
            is_confirmed: is_excess(self.confirmed_refunded_amount()) && self.is_paid_confirmed(),
        })
    }

    /// Whether the event about the excess waits for the signed answer of a recheck. If this payment is not polled, or
    /// if no recheck is open, the event must not wait, because no answer would end the wait.
    pub(crate) fn awaits_answer_about(&self, excess: &Overrefund) -> bool {
        !excess.is_confirmed && self.polling.needs_recheck() && self.has_signable_id()
    }

    /// Returns the amount of the refunds that signed answers report, less all returns. Returns that wait for a signed
    /// answer are subtracted too. A refund that the newest signed answer does not list is included, because the answer
    /// has decided.
    fn confirmed_refunded_amount(&self) -> u64 {
        let is_confirmed = |operation: &Operation| {
            operation.is_signed() || self.evidence_of(operation) == Evidence::Contradictory
        };
        let returns = self.returns();
        self.refunds_and_reversals_of(is_confirmed)
            .saturating_sub(self.returned_by(&returns))
            .saturating_sub(returns.withheld)
    }

    /// Returns `false` if only callbacks say that the money did not arrive.
    fn is_paid_confirmed(&self) -> bool {
        let declining = self.declining_operation();
        !self.is_not_confirmed() || declining.is_some_and(Operation::is_signed)
    }
}
