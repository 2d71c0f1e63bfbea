//! Operations of the platform's support: manual changes of held payments, and operations of any other type.

use super::sales::result_code;
use super::{Change, Records, begin, update};
use crate::platform::codes::{self, Code};
use crate::platform::operation::{Kind, Operation, Status};
use crate::platform::order::Marks;

/// How support settles a held payment.
#[derive(Debug, Clone, Copy)]
pub struct ManualChange {
    /// `Success` or `Decline`.
    pub status: Status,
    /// The amount that counts, in minor units; the amount that the bank took without it.
    pub amount: Option<u64>,
    /// Whether the shopper's sale is declined with it; it stays undecided otherwise.
    pub declines_sale: bool,
}

/// An operation of a type that the platform otherwise does not simulate.
#[derive(Debug, Clone)]
pub struct OtherOperation {
    /// The type in messages.
    pub name: String,
    /// Minor units; the ordered amount without it.
    pub amount: Option<u64>,
    /// Its status.
    pub status: Status,
    /// Whether it takes money and counts in `payment.sum`.
    pub takes_money: bool,
}

impl Records {
    /// Settles a held payment.
    pub fn manual_change(
        &mut self,
        payment_id: &str,
        change: ManualChange,
        marks: Marks,
    ) -> Result<Change, Code> {
        let payment = self.find(payment_id)?;
        let sale = payment.sale().ok_or(codes::STATUS_FORBIDS)?;
        if payment.held.is_none() {
            return Err(codes::STATUS_FORBIDS);
        }
        let (sale_id, now, id) = (sale.id, marks.now, marks.operation_id);
        let amount = change.amount.unwrap_or(sale.moved);
        let mut settled = Operation::about(Kind::ManualChange, amount, sale, marks);
        settled.enter(change.status, result_code(change.status), now);
        let declined = (Status::Decline, codes::CANCELLED_BY_OWNER);
        let change = update(payment, id, now, |payment| {
            payment.held = None;
            if let Some(sale) = payment
                .operation_mut(sale_id)
                .filter(|_| change.declines_sale)
            {
                sale.enter(declined.0, declined.1, now);
            }
            payment.operations.push(settled);
        });
        change.ok_or(codes::NOT_FOUND)
    }

    /// Adds an operation of any type beside the sale.
    pub fn other_operation(
        &mut self,
        payment_id: &str,
        other: OtherOperation,
        marks: Marks,
    ) -> Result<Change, Code> {
        let payment = self.find(payment_id)?;
        if payment.status() == Status::Error {
            return Err(codes::STATUS_FORBIDS);
        }
        let now = marks.now;
        let kind = Kind::Other {
            name: other.name,
            takes_money: other.takes_money,
        };
        let amount = other.amount.unwrap_or(payment.order.amount);
        let mut operation = Operation::new(kind, amount, marks);
        operation.enter(other.status, result_code(other.status), now);
        begin(payment, operation).ok_or(codes::NOT_FOUND)
    }
}
