//! Defines the steps that all changes of a payment share.

use time::OffsetDateTime;

use super::operation::Operation;
use super::payment::Payment;
use super::status::Status;
use crate::platform::messages::codes::{self, Code};

/// The payment and one of its operations, both after a change.
#[derive(Debug, Clone)]
pub struct Change {
    pub payment: Payment,
    /// The operation that was added or changed.
    pub operation: Operation,
}

impl Change {
    pub fn payment_id(&self) -> &str {
        &self.payment.order.payment_id
    }

    /// Whether the callback of this change reports no result. After such a callback, another callback follows.
    pub fn is_intermediate(&self) -> bool {
        let payment = self.payment.status();
        self.operation.status.is_open()
            || self.payment.held.is_some()
            || payment == Status::AwaitingConfirmation
            || self.payment.is_unconfirmed(&self.operation) && payment.is_open()
    }
}

impl Payment {
    /// Applies a change of one operation. If the status or the sum of the payment changes, also sets the payment's
    /// date.
    pub(super) fn change(
        &mut self,
        operation_id: u64,
        now: OffsetDateTime,
        change: impl FnOnce(&mut Payment),
    ) -> Result<Change, Code> {
        let before = (self.status(), self.sum());
        change(self);
        if before != (self.status(), self.sum()) {
            self.date = now;
        }
        let operation = self.operation(operation_id)?.clone();
        let payment = self.clone();
        Ok(Change { payment, operation })
    }

    pub(super) fn begin(&mut self, operation: Operation) -> Result<Change, Code> {
        let (id, now) = (operation.id, operation.date);
        self.change(id, now, |payment| payment.operations.push(operation))
    }

    pub(super) fn change_operation(
        &mut self,
        operation_id: u64,
        now: OffsetDateTime,
        change: impl FnOnce(&mut Operation),
    ) -> Result<Change, Code> {
        self.change(operation_id, now, |payment| {
            if let Some(operation) = payment.operation_mut(operation_id) {
                change(operation);
            }
        })
    }

    pub(super) fn set_status(
        &mut self,
        operation_id: u64,
        (status, code): (Status, Code),
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        self.change_operation(operation_id, now, |operation| {
            operation.set_status(status, code, now);
        })
    }
}

/// Refuses a change that the state of the payment does not allow.
pub fn check(is_allowed: bool) -> Result<(), Code> {
    match is_allowed {
        true => Ok(()),
        false => Err(codes::STATUS_FORBIDS),
    }
}
