//! Decides whether the newest signed answer contradicts a reported sale because it does not list the sale.

use super::foreign::{FIRST_DATE, MAX_CLOCK_DIFFERENCE};
use crate::model::payment::Payment;
use crate::model::reported::evidence::Evidence;
use crate::model::reported::operation::Operation;

impl Payment {
    /// Returns how well the reports support the outcome of an operation. A signed answer contradicts a successful sale
    /// that it does not list.
    pub fn evidence_of(&self, operation: &Operation) -> Evidence {
        match self.is_sale_unlisted(operation) {
            true => Evidence::Contradictory,
            false => operation.evidence(),
        }
    }

    /// Whether an operation is a successful sale that the newest signed answer does not list although the answer is
    /// newer than the report of the sale. An older answer says nothing about the sale. The answer is newer in two cases:
    ///
    /// - It has a later date than the report of the sale.
    /// - It arrived later than the date of the sale, by more than the possible difference of the clocks. The dates in an
    ///   answer only say when the payment last changed.
    ///
    /// If the payment has more operations than it can store, it is not known which operations the answer listed.
    fn is_sale_unlisted(&self, operation: &Operation) -> bool {
        let (Some(answer), Some(order)) = (&self.reported.newest_answer, operation.report_order())
        else {
            return false;
        };
        let (operation_date, payment_date) = order.dates();
        let is_later = answer.date.as_str() > operation_date.max(payment_date);
        let ended_at = operation.ended_at().filter(|date| FIRST_DATE <= *date);
        let arrived_later =
            ended_at.is_some_and(|date| date.after(MAX_CLOCK_DIFFERENCE) < answer.received_at);
        operation.unlisted
            && operation.is_successful_sale()
            && self.most_known_operations() == 0
            && (is_later || arrived_later)
    }
}
