//! Handles payment links: the operation `invoice`, and the sale that can follow.

use time::OffsetDateTime;

use super::change::{Change, check};
use super::operation::{Operation, OperationType};
use super::order::Stamp;
use super::payment::Payment;
use super::status::Status;
use crate::platform::messages::codes::{self, Code};

impl Payment {
    /// Refused if the link is closed, already confirmed or already in this status.
    pub fn set_link_status(&mut self, status: Status, now: OffsetDateTime) -> Result<Change, Code> {
        let invoice = self.open_invoice()?;
        check(invoice.status != status)?;
        let id = invoice.id;
        self.set_status(id, (status, codes::AWAITING), now)
    }

    /// Starts the sale. The shopper can then pay at the bank.
    pub fn confirm_link(&mut self, stamp: Stamp) -> Result<Change, Code> {
        self.open_invoice()?;
        let mut sale = Operation::new(OperationType::Sale, self.order.amount, stamp);
        sale.status = Status::AwaitingRedirect;
        self.begin(sale)
    }

    /// Refused if the link is closed or confirmed.
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
