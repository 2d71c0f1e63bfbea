//! Handles payment links of the Dashboard: the operation `invoice`, and the sale that can follow.

use time::OffsetDateTime;

use super::change::{Change, check};
use super::operation::{Operation, OperationType};
use super::order::Stamp;
use super::payment::Payment;
use super::status::Status;
use crate::platform::messages::codes::{self, Code};

impl Payment {
    /// Sends, expires or cancels an open payment link. Returns a refusal if the shopper has already confirmed the link.
    pub fn set_link_status(&mut self, status: Status, now: OffsetDateTime) -> Result<Change, Code> {
        let invoice = self.open_invoice()?;
        check(invoice.status != status)?;
        let id = invoice.id;
        self.set_status(id, (status, codes::AWAITING), now)
    }

    /// Starts the sale of a payment link after the shopper has confirmed the link. The shopper can now pay at the bank.
    pub fn confirm_link(&mut self, stamp: Stamp) -> Result<Change, Code> {
        self.open_invoice()?;
        let mut sale = Operation::new(OperationType::Sale, self.order.amount, stamp);
        sale.status = Status::AwaitingRedirect;
        self.begin(sale)
    }

    /// Returns the invoice of a payment link that is open and that the shopper has not confirmed.
    fn open_invoice(&self) -> Result<&Operation, Code> {
        let invoice = self.invoice().ok_or(codes::STATUS_FORBIDS)?;
        let is_open = matches!(
            invoice.status,
            Status::AwaitingPayment | Status::InvoiceSent
        );
        check(is_open && self.sale().is_none())?;
        Ok(invoice)
    }
}
