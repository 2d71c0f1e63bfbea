//! Decides whether the newest signed answer contradicts a reported operation because it does not list the operation.

use ecommpay::operation::Outcome;

use super::foreign::{FIRST_DATE, MAX_CLOCK_DIFFERENCE};
use crate::model::payment::Payment;
use crate::model::reported::evidence::Evidence;
use crate::model::reported::operation::Operation;

impl Payment {
    /// Returns how well the reports support the outcome of an operation. A signed answer contradicts an operation that
    /// changes the amounts of the payment and that it does not list.
    pub fn evidence_of(&self, operation: &Operation) -> Evidence {
        match self.is_unlisted(operation) {
            true => Evidence::Contradictory,
            false => operation.evidence(),
        }
    }

    /// Whether an operation changes the amounts of the payment, and the newest signed answer does not list the operation
    /// although the answer is newer than the report of the operation. An older answer says nothing about the operation.
    /// The answer is newer in two cases:
    ///
    /// - It has a later date than the report of the operation.
    /// - It arrived later than the date of the operation, by more than the possible difference of the clocks. The dates
    ///   in an answer only say when the payment last changed.
    ///
    /// If the payment has more operations than it can store, it is not known which operations the answer listed.
    fn is_unlisted(&self, operation: &Operation) -> bool {
        let (Some(answer), Some(order)) = (&self.reported.newest_answer, operation.report_order())
        else {
            return false;
        };
        let (operation_date, payment_date) = order.dates();
        let is_later = answer.date.as_str() > operation_date.max(payment_date);
        let changed_at = operation.changed_at().filter(|date| FIRST_DATE <= *date);
        let arrived_later =
            changed_at.is_some_and(|date| date.after(MAX_CLOCK_DIFFERENCE) < answer.received_at);
        operation.unlisted
            && changes_amounts(operation)
            && self.most_known_operations() == 0
            && (is_later || arrived_later)
    }
}

/// Whether an operation changes the paid, the refunded or the reserved amount: a successful sale, refund or return, or a
/// refund that is pending.
fn changes_amounts(operation: &Operation) -> bool {
    match operation.outcome() {
        Outcome::Succeeded => operation.is_successful_sale() || operation.kind().is_about_refund(),
        Outcome::Pending => operation.gives_back(),
        Outcome::Declined => false,
    }
}
