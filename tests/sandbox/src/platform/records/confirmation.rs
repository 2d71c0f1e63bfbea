//! The confirmation procedure: the platform waits until the provider credits the money of a sale (protocol-2.md
//! section 2).

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::operation::{Operation, OperationType};
use super::order::Stamp;
use super::status::Status;
use super::store::{Change, Records, add_operation, check, update};
use crate::platform::messages::codes::{self, Code};

/// The result of a confirmation procedure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditingResult {
    /// The money is credited.
    Credit,
    /// It is not credited, and the payment is declined.
    Decline,
    /// It is not credited, and the platform reverses the sale.
    DeclineAndReverse,
    /// The provider reports nothing.
    None,
}

impl Records {
    /// Adds the operation `payment confirmation`, if the payment has the procedure and it has not begun.
    pub fn begin_confirmation(&mut self, payment_id: &str, stamp: Stamp) -> Result<Change, Code> {
        let kind = OperationType::PaymentConfirmation;
        let payment = self.find(payment_id)?;
        check(payment.confirmation.is_some() && payment.first(kind).is_none())?;
        let sale = payment.sale().ok_or(codes::NOT_FOUND)?;
        let confirmation = Operation::with_sums_of(sale, kind, sale.amount, stamp);
        add_operation(payment, confirmation)
    }

    /// Whether the procedure has begun and has no result.
    pub fn is_confirmation_open(&self, payment_id: &str) -> bool {
        let payment = self.payment(payment_id);
        let confirmation =
            payment.and_then(|payment| payment.first(OperationType::PaymentConfirmation));
        confirmation.is_some_and(|operation| operation.status.is_open())
    }

    /// Applies the provider's report. A later report can contradict an earlier one, but not a reversal.
    pub fn settle_confirmation(
        &mut self,
        payment_id: &str,
        result: CreditingResult,
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        let payment = self.find(payment_id)?;
        let confirmation = payment.first(OperationType::PaymentConfirmation);
        let confirmation = confirmation.ok_or(codes::STATUS_FORBIDS)?;
        let (status, code) = match result {
            CreditingResult::Credit => (Status::Success, codes::SUCCESS),
            CreditingResult::Decline | CreditingResult::DeclineAndReverse => {
                (Status::Decline, codes::NOT_CREDITED)
            }
            CreditingResult::None => return Err(codes::STATUS_FORBIDS),
        };
        let is_reversing = payment
            .confirmation
            .is_some_and(|procedure| procedure.reverses);
        check(!is_reversing && confirmation.status != status)?;
        let id = confirmation.id;
        update(payment, id, now, |payment| {
            if let Some(procedure) = payment.confirmation.as_mut() {
                procedure.reverses = result == CreditingResult::DeclineAndReverse;
            }
            if let Some(confirmation) = payment.operation_mut(id) {
                confirmation.set_status(status, code, now);
            }
        })
    }

    /// Reverses a sale whose crediting was declined, if the procedure says so. Reverses it once only.
    pub fn reverse_sale(&mut self, payment_id: &str, stamp: Stamp) -> Result<Change, Code> {
        let kind = OperationType::Reversal;
        let payment = self.find(payment_id)?;
        let procedure = payment.confirmation.ok_or(codes::STATUS_FORBIDS)?;
        check(procedure.reverses && payment.first(kind).is_none())?;
        let sale = payment.sale().ok_or(codes::NOT_FOUND)?;
        let now = stamp.now;
        let mut reversal = Operation::with_sums_of(sale, kind, sale.counted, stamp);
        reversal.set_status(Status::Success, codes::SUCCESS, now);
        add_operation(payment, reversal)
    }
}
