//! Finds why a payment is declined or failed: the declining operation, and the code.

use super::Status;
use super::sale_state::SaleState;
use crate::model::payment::Payment;
use crate::model::reported::operation::Operation;

impl Payment {
    pub(crate) fn decline_code(&self, status: Status) -> Option<&str> {
        match status {
            Status::Declined => self.declining_operation()?.code(),
            Status::Failed => self.refusal_code(),
            _ => None,
        }
    }

    /// Returns the operation that declined the payment: the newest declined confirmation if the money did not arrive,
    /// otherwise a declined sale.
    pub fn declining_operation(&self) -> Option<&Operation> {
        match self.sale_state() {
            SaleState::NotConfirmed => self
                .confirmations()
                .filter(|confirmation| confirmation.is_declined())
                .max_by_key(|confirmation| confirmation.report_order()),
            _ => self.declined_sale(),
        }
    }

    /// Returns the newest sale whose decline ended the payment, except for sales of earlier attempts.
    pub(super) fn declined_sale(&self) -> Option<&Operation> {
        let failed = self.attempt.failed_request_ids();
        self.sales()
            .filter(|sale| sale.ends_payment() && !failed.are_named_by(sale))
            .max_by_key(|sale| sale.report_order())
    }

    /// Whether a signed answer declined the sale, and no other sale has succeeded.
    pub(crate) fn is_declined_by_answer(&self) -> bool {
        self.sale_state() == SaleState::None
            && self.declined_sale().is_some_and(Operation::is_signed)
    }
}
