//! The status of a payment, as one function of its operations.

use super::operation::{Kind, Operation, Status};
use super::payment::Payment;

impl Payment {
    /// The status of the whole payment. A refund at the provider hides it.
    pub fn status(&self) -> Status {
        let at_provider = |refund: &Operation| refund.status == Status::ExternalProcessing;
        match self.refunds().any(at_provider) {
            true => Status::ExternalProcessing,
            false => self.status_of_money(),
        }
    }

    /// The status without regard to undecided refunds. The first rule that applies decides.
    pub fn status_of_money(&self) -> Status {
        if let Some(status) = self.status_without_sale() {
            return status;
        }
        if let Some(status) = self.unconfirmed_status() {
            return status;
        }
        if let Some(status) = self.held {
            return status;
        }
        let undecided = self.undecided_sale();
        match (self.charges().next(), undecided) {
            // A cascade: one try has succeeded, another one is open.
            (Some(_), Some(_)) => Status::Processing,
            (Some(_), None) => self.paid_status(),
            (None, Some(sale)) => sale.status,
            (None, None) => Status::Decline,
        }
    }

    /// A link without a sale, or a sale that was never started.
    fn status_without_sale(&self) -> Option<Status> {
        match (self.sale(), self.invoice()) {
            (None, Some(invoice)) if self.charges().next().is_none() => Some(invoice.status),
            (Some(sale), _) if sale.status == Status::Error => Some(Status::Error),
            _ => None,
        }
    }

    /// The status that the confirmation procedure gives, unless the crediting is confirmed.
    fn unconfirmed_status(&self) -> Option<Status> {
        let procedure = self.confirmation?;
        let Some(confirmation) = self.first(&Kind::Confirmation) else {
            return Some(procedure.first_status);
        };
        let is_reversed = self.first(&Kind::Reversal).is_some();
        let other_money = self.came() > 0;
        match confirmation.status {
            Status::Success => None,
            Status::Decline if procedure.reverses && !is_reversed => {
                Some(Status::AwaitingConfirmation)
            }
            Status::Decline if other_money => None,
            Status::Decline if procedure.reverses => Some(Status::Reversed),
            Status::Decline => Some(Status::Decline),
            _ => Some(Status::AwaitingConfirmation),
        }
    }

    /// A sale that is not decided; a manual change decides the ones before it.
    fn undecided_sale(&self) -> Option<&Operation> {
        let operations = self.operations.iter().rev();
        operations
            .take_while(|one| one.kind != Kind::ManualChange)
            .find(|one| one.kind == Kind::Sale && one.status.is_open())
    }

    fn paid_status(&self) -> Status {
        match self.refunded() {
            0 => Status::Success,
            _ if self.left() == 0 => Status::Refunded,
            _ => Status::PartiallyRefunded,
        }
    }
}
