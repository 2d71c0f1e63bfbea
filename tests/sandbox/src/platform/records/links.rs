//! Payment links of the Dashboard: the operation `invoice`, and the sale that can follow (protocol-2.md section 5).

use time::OffsetDateTime;

use super::operation::{Operation, OperationType};
use super::order::{SaleOrder, Stamp};
use super::payment::Payment;
use super::status::Status;
use super::store::{Change, Records, add_operation, check, set_status};
use crate::platform::messages::codes::{self, Code};

impl Records {
    /// Creates a payment link, in `awaiting payment`.
    pub fn create_link(
        &mut self,
        order: SaleOrder,
        token: String,
        stamp: Stamp,
    ) -> Result<Change, Code> {
        self.check_is_free(&order.payment_id)?;
        let mut operation = Operation::new(OperationType::Invoice, order.amount, stamp);
        operation.status = Status::AwaitingPayment;
        let payment = Payment::new(order, token, operation.clone());
        self.add(payment.clone());
        Ok(Change { payment, operation })
    }

    /// Sends, expires or cancels a payment link that the shopper has not confirmed.
    pub fn set_link_status(
        &mut self,
        payment_id: &str,
        status: Status,
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        let payment = self.find(payment_id)?;
        let invoice = unconfirmed(payment)?;
        check(invoice.status != status)?;
        let id = invoice.id;
        set_status(payment, id, (status, codes::AWAITING), now)
    }

    /// The shopper confirms a payment link: the sale begins and waits at the bank.
    pub fn confirm_link(&mut self, token: &str, stamp: Stamp) -> Result<Change, Code> {
        let payment = self.find_by_token(token)?;
        unconfirmed(payment)?;
        let mut sale = Operation::new(OperationType::Sale, payment.order.amount, stamp);
        sale.status = Status::AwaitingRedirect;
        add_operation(payment, sale)
    }
}

/// The invoice of a payment link that is open and that the shopper has not confirmed.
fn unconfirmed(payment: &Payment) -> Result<&Operation, Code> {
    let invoice = payment.invoice().ok_or(codes::STATUS_FORBIDS)?;
    let is_open = matches!(
        invoice.status,
        Status::AwaitingPayment | Status::InvoiceSent
    );
    check(is_open && payment.sale().is_none())?;
    Ok(invoice)
}
