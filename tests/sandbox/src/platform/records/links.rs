//! Payment links of the Dashboard: the operation `invoice`, and the sale that may follow (protocol-2.md section 5).

use time::OffsetDateTime;

use super::{Change, Records, begin, enter};
use crate::platform::codes::{self, Code};
use crate::platform::operation::{Kind, Operation, Status};
use crate::platform::order::{Marks, SaleOrder};
use crate::platform::payment::Payment;

impl Records {
    /// Creates a link, in `awaiting payment`.
    pub fn create_link(
        &mut self,
        order: SaleOrder,
        token: String,
        marks: Marks,
    ) -> Result<Change, Code> {
        self.check_is_free(&order.payment_id)?;
        let mut invoice = Operation::new(Kind::Invoice, order.amount, marks);
        invoice.status = Status::AwaitingPayment;
        let payment = Payment::new(order, token, invoice.clone());
        self.add(payment.clone());
        let operation = invoice;
        Ok(Change { payment, operation })
    }

    /// Sends, expires or cancels a link, as long as the shopper has not confirmed.
    pub fn enter_link(
        &mut self,
        payment_id: &str,
        status: Status,
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        let payment = self.find(payment_id)?;
        let invoice = payment.invoice().ok_or(codes::STATUS_FORBIDS)?;
        let possible = match invoice.status {
            Status::AwaitingPayment => true,
            Status::InvoiceSent => status != Status::InvoiceSent,
            _ => false,
        };
        if !possible || payment.sale().is_some() {
            return Err(codes::STATUS_FORBIDS);
        }
        let id = invoice.id;
        enter(payment, id, (status, codes::AWAITING), now).ok_or(codes::NOT_FOUND)
    }

    /// The shopper confirms a link: the sale begins and waits at the bank.
    pub fn begin_link_sale(&mut self, token: &str, marks: Marks) -> Result<Change, Code> {
        let id = self.by_token.get(token).cloned().unwrap_or_default();
        let payment = self.find(&id)?;
        let invoice = payment.invoice().ok_or(codes::STATUS_FORBIDS)?;
        let is_open = matches!(
            invoice.status,
            Status::AwaitingPayment | Status::InvoiceSent
        );
        if !is_open || payment.sale().is_some() {
            return Err(codes::STATUS_FORBIDS);
        }
        let mut sale = Operation::new(Kind::Sale, payment.order.amount, marks);
        sale.status = Status::AwaitingRedirect;
        begin(payment, sale).ok_or(codes::NOT_FOUND)
    }
}
