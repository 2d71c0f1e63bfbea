//! Simulates the confirmation procedure: the platform waits until the provider credits the money of a sale.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::change::{Change, check};
use super::operation::{Operation, OperationType};
use super::order::Stamp;
use super::payment::Payment;
use super::status::Status;
use crate::platform::messages::codes::{self, Code};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditingResult {
    Credit,
    /// The money is not credited, and the payment is declined.
    Decline,
    /// The money is not credited, and the platform reverses the sale.
    DeclineAndReverse,
    /// The provider reports nothing.
    None,
}

impl Payment {
    /// Adds the operation `payment confirmation`. Refused if the payment has no procedure, or its procedure has already
    /// started.
    pub fn begin_confirmation(&mut self, stamp: Stamp) -> Result<Change, Code> {
        let kind = OperationType::PaymentConfirmation;
        check(self.confirmation.is_some() && self.first(kind).is_none())?;
        let sale = self.sale().ok_or(codes::STATUS_FORBIDS)?;
        let confirmation = Operation::with_sums_of(sale, kind, sale.amount, stamp);
        self.begin(confirmation)
    }

    pub fn is_confirmation_open(&self) -> bool {
        let confirmation = self.first(OperationType::PaymentConfirmation);
        confirmation.is_some_and(|operation| operation.status.is_open())
    }

    /// Applies the provider's report, which can contradict an earlier report.
    ///
    /// Refused in these cases:
    /// - The payment has no operation `payment confirmation`.
    /// - The provider reports nothing.
    /// - The operation already has the reported status.
    /// - An earlier report was [`CreditingResult::DeclineAndReverse`].
    pub fn settle_confirmation(
        &mut self,
        result: CreditingResult,
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        let confirmation = self.first(OperationType::PaymentConfirmation);
        let confirmation = confirmation.ok_or(codes::STATUS_FORBIDS)?;
        let (status, code) = match result {
            CreditingResult::Credit => (Status::Success, codes::SUCCESS),
            CreditingResult::Decline | CreditingResult::DeclineAndReverse => {
                (Status::Decline, codes::NOT_CREDITED)
            }
            CreditingResult::None => return Err(codes::STATUS_FORBIDS),
        };
        check(!self.is_reversing() && confirmation.status != status)?;
        let id = confirmation.id;
        self.change(id, now, |payment| {
            if let Some(procedure) = payment.confirmation.as_mut() {
                procedure.reverses = result == CreditingResult::DeclineAndReverse;
            }
            if let Some(confirmation) = payment.operation_mut(id) {
                confirmation.set_status(status, code, now);
            }
        })
    }

    /// Reverses the sale once, after the report [`CreditingResult::DeclineAndReverse`]. Refused without this report.
    pub fn reverse_sale(&mut self, stamp: Stamp) -> Result<Change, Code> {
        let kind = OperationType::Reversal;
        check(self.is_reversing() && self.first(kind).is_none())?;
        let sale = self.sale().ok_or(codes::STATUS_FORBIDS)?;
        let now = stamp.now;
        let mut reversal = Operation::with_sums_of(sale, kind, sale.counted, stamp);
        reversal.set_status(Status::Success, codes::SUCCESS, now);
        self.begin(reversal)
    }

    fn is_reversing(&self) -> bool {
        self.confirmation
            .is_some_and(|procedure| procedure.reverses)
    }
}
