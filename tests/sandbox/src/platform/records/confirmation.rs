//! The confirmation procedure: the platform waits until the provider credits the money of a sale
//! (protocol-2.md section 2).

use time::OffsetDateTime;

use super::{Change, Records, begin, key, update};
use crate::platform::codes::{self, Code};
use crate::platform::operation::{Kind, Operation, Status};
use crate::platform::order::Marks;

/// The provider's report about the money of a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crediting {
    /// It was credited.
    Credited,
    /// It was not; the payment is declined.
    Declined,
    /// It was not; the platform reverses the sale.
    DeclinedAndReversed,
}

impl Records {
    /// Begins the operation `payment confirmation` if the procedure is due and has not begun.
    pub fn begin_confirmation(&mut self, payment_id: &str, marks: Marks) -> Option<Change> {
        let payment = self.payments.get_mut(&key(payment_id))?;
        payment.confirmation?;
        if payment.first(&Kind::Confirmation).is_some() {
            return None;
        }
        let sale = payment.sale()?;
        let mut confirmation = Operation::about(Kind::Confirmation, sale.amount, sale, marks);
        confirmation.sum_initial = sale.sum_initial.clone();
        confirmation.sum_converted = sale.sum_converted.clone();
        begin(payment, confirmation)
    }

    /// Whether the crediting is not reported yet.
    pub fn is_confirmation_open(&self, payment_id: &str) -> bool {
        let confirmation = self
            .payment(payment_id)
            .and_then(|payment| payment.first(&Kind::Confirmation));
        confirmation.is_some_and(|one| one.status.is_open())
    }

    /// Takes the provider's report. A later report can contradict an earlier one, but not a reversal.
    pub fn settle_confirmation(
        &mut self,
        payment_id: &str,
        crediting: Crediting,
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        let payment = self.find(payment_id)?;
        let confirmation = payment.first(&Kind::Confirmation);
        let confirmation = confirmation.ok_or(codes::STATUS_FORBIDS)?;
        let next = match crediting {
            Crediting::Credited => (Status::Success, codes::SUCCESS),
            Crediting::Declined | Crediting::DeclinedAndReversed => {
                (Status::Decline, codes::NOT_CREDITED)
            }
        };
        let is_reversing = payment
            .confirmation
            .is_some_and(|procedure| procedure.reverses);
        if is_reversing || confirmation.status == next.0 {
            return Err(codes::STATUS_FORBIDS);
        }
        let id = confirmation.id;
        let change = update(payment, id, now, |payment| {
            if let Some(procedure) = payment.confirmation.as_mut() {
                procedure.reverses = crediting == Crediting::DeclinedAndReversed;
            }
            if let Some(confirmation) = payment.operation_mut(id) {
                confirmation.enter(next.0, next.1, now);
            }
        });
        change.ok_or(codes::NOT_FOUND)
    }

    /// Reverses a sale whose crediting was declined, if the procedure says so and it is not done yet.
    pub fn reverse_sale(&mut self, payment_id: &str, marks: Marks) -> Option<Change> {
        let payment = self.payments.get_mut(&key(payment_id))?;
        let is_due = payment.confirmation?.reverses && payment.first(&Kind::Reversal).is_none();
        let sale = payment.sale()?;
        let now = marks.now;
        let mut reversal = Operation::about(Kind::Reversal, sale.counted, sale, marks);
        reversal.sum_initial = sale.sum_initial.clone();
        reversal.sum_converted = sale.sum_converted.clone();
        reversal.enter(Status::Success, codes::SUCCESS, now);
        is_due.then(|| begin(payment, reversal))?
    }
}
