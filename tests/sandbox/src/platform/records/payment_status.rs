//! Derives the status of a payment from its operations.

use super::operation::{Operation, OperationType};
use super::payment::Payment;
use super::status::Status;

impl Payment {
    /// While the provider works on a refund, the status is `external processing`.
    pub fn status(&self) -> Status {
        let mut refunds = self.of_type(OperationType::Refund);
        match refunds.any(|refund| refund.status == Status::ExternalProcessing) {
            true => Status::ExternalProcessing,
            false => self.status_of_money(),
        }
    }

    /// Returns the status as if the provider worked on no refund.
    pub fn status_of_money(&self) -> Status {
        let special = self.status_without_sale();
        let special = special.or_else(|| self.unconfirmed_status());
        if let Some(status) = special.or(self.held) {
            return status;
        }
        match (self.charges().next(), self.undecided_sale()) {
            (Some(_), Some(_)) => Status::Processing,
            (Some(_), None) => self.paid_status(),
            (None, Some(sale)) => sale.status,
            (None, None) => Status::Decline,
        }
    }

    /// Returns the status of a payment link without a sale, or of a payment whose sale ended in `error`.
    fn status_without_sale(&self) -> Option<Status> {
        match (self.sale(), self.invoice()) {
            (None, Some(invoice)) if self.charges().next().is_none() => Some(invoice.status),
            (Some(sale), _) if sale.status == Status::Error => Some(Status::Error),
            _ => None,
        }
    }

    /// Returns the status that the confirmation procedure sets.
    ///
    /// Returns `None` if the payment has no procedure, if the money was credited, or if another charge counts.
    fn unconfirmed_status(&self) -> Option<Status> {
        let procedure = self.confirmation?;
        let Some(confirmation) = self.first(OperationType::PaymentConfirmation) else {
            return Some(procedure.first_status);
        };
        let is_reversed = self.first(OperationType::Reversal).is_some();
        match confirmation.status {
            Status::Success => None,
            Status::Decline if procedure.reverses && !is_reversed => {
                Some(Status::AwaitingConfirmation)
            }
            // Another charge decides the status.
            Status::Decline if self.received() > 0 => None,
            Status::Decline if procedure.reverses => Some(Status::Reversed),
            Status::Decline => Some(Status::Decline),
            _ => Some(Status::AwaitingConfirmation),
        }
    }

    /// Returns the newest undecided sale. A manual change decides all earlier sales.
    fn undecided_sale(&self) -> Option<&Operation> {
        let operations = self.operations.iter().rev();
        operations
            .take_while(|operation| operation.kind != OperationType::ManualChange)
            .find(|operation| operation.kind == OperationType::Sale && operation.status.is_open())
    }

    fn paid_status(&self) -> Status {
        match self.refunded() {
            0 => Status::Success,
            _ if self.remaining() == 0 => Status::Refunded,
            _ => Status::PartiallyRefunded,
        }
    }
}
