//! Decides whether the newest signed answer contradicts a reported operation because it does not list the operation.

use ecommpay::operation::Outcome;

use super::foreign::{FIRST_DATE, MAX_CLOCK_DIFFERENCE};
use crate::model::payment::Payment;
use crate::model::reported::evidence::Evidence;
use crate::model::reported::operation::Operation;

impl Payment {
    /// Returns how well the reports support the outcome of an operation. A signed answer that does not list an
    /// operation contradicts it if the operation changes the amounts of the payment.
    pub fn evidence_of(&self, operation: &Operation) -> Evidence {
        match self.is_unlisted(operation) {
            true => Evidence::Contradictory,
            false => operation.evidence(),
        }
    }

    /// Whether an operation changes the amounts of the payment, and the newest signed answer does not list it. The
    /// answer must be newer than the report of the operation, because an older answer says nothing about the operation.
    /// The answer is newer in two cases:
    ///
    /// - The answer has a later date than the report of the operation.
    /// - The answer arrived later than the date of the operation, by more than the possible difference of the clocks.
    ///   The time of arrival is used, because the dates in an answer only say when the payment last changed.
    ///
    /// Returns `false` if the payment has more operations than it can store. It is then unknown which operations the
    /// answer listed.
    fn is_unlisted(&self, operation: &Operation) -> bool {
        // These checks come first, because they are cheap and exclude most operations.
        if !operation.unlisted || !changes_amounts(operation) || self.most_known_operations() > 0 {
            return false;
        }
        let (Some(answer), Some(order)) = (&self.reported.newest_answer, operation.report_order())
        else {
            return false;
        };
        let (operation_date, payment_date) = order.dates();
        let is_later = answer.date.as_str() > operation_date.max(payment_date);
        let changed_at = operation.changed_at().filter(|date| FIRST_DATE <= *date);
        let arrived_later =
            changed_at.is_some_and(|date| date.after(MAX_CLOCK_DIFFERENCE) < answer.received_at);
        is_later || arrived_later
    }
}

/// Whether an operation changes the paid, the refunded or the reserved amount: a successful sale, refund or return, or
/// a refund that is pending.
fn changes_amounts(operation: &Operation) -> bool {
    match operation.outcome() {
        Outcome::Succeeded => operation.is_successful_sale() || operation.kind().is_about_refund(),
        Outcome::Pending => operation.gives_back(),
        Outcome::Declined => false,
    }
}
