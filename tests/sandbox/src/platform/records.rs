//! The platform records: all payments of the project, as a pure state machine.
//!
//! Time and ids come from outside; each change goes out as a [`Change`], from which a callback is made. This file
//! finds payments, the files below change them.

mod confirmation;
mod links;
mod refunds;
mod sales;
mod settlement;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use time::OffsetDateTime;

pub use confirmation::Crediting;
pub use sales::{Charge, Choice, Clarified, SalePlan};
pub use settlement::{ManualChange, OtherOperation};

use super::codes::{self, Code};
use super::operation::{Operation, Status};
use super::payment::Payment;

/// All payments of the project.
#[derive(Debug, Default)]
pub struct Records {
    payments: BTreeMap<String, Payment>,
    by_token: HashMap<String, String>,
}

/// A change: the payment after it, and the operation that it is about.
#[derive(Debug, Clone)]
pub struct Change {
    /// The payment after the change.
    pub payment: Payment,
    /// The operation that changed.
    pub operation: Operation,
}

impl Change {
    /// Whether a later callback will supersede this one.
    pub fn is_intermediate(&self) -> bool {
        let payment = self.payment.status();
        self.operation.status.is_open()
            || self.payment.held.is_some()
            || payment == Status::AwaitingConfirmation
            || self.payment.is_unconfirmed(&self.operation) && payment.is_open()
    }
}

/// The form of a payment id that two spellings of one id share.
pub fn key(payment_id: &str) -> String {
    payment_id.to_lowercase()
}

impl Records {
    /// The payment with this id, in any spelling.
    pub fn payment(&self, payment_id: &str) -> Option<&Payment> {
        self.payments.get(&key(payment_id))
    }

    /// All payments, by id.
    pub fn payments(&self) -> impl Iterator<Item = &Payment> {
        self.payments.values()
    }

    /// The payment behind a page.
    pub fn at_page(&self, token: &str) -> Option<&Payment> {
        self.payments.get(self.by_token.get(token)?)
    }

    fn add(&mut self, payment: Payment) {
        let key = key(&payment.order.payment_id);
        self.by_token.insert(payment.token.clone(), key.clone());
        self.payments.insert(key, payment);
    }

    /// Whether a new payment can have this id; an id can be used again only after `error`.
    fn check_is_free(&self, payment_id: &str) -> Result<(), Code> {
        match self.payment(payment_id) {
            Some(payment) if payment.status() != Status::Error => Err(codes::PAYMENT_EXISTS),
            _ => Ok(()),
        }
    }

    fn find(&mut self, payment_id: &str) -> Result<&mut Payment, Code> {
        let payment = self.payments.get_mut(&key(payment_id));
        payment.ok_or(codes::NOT_FOUND)
    }
}

/// Adds an operation to a payment.
fn begin(payment: &mut Payment, operation: Operation) -> Option<Change> {
    let (id, now) = (operation.id, operation.date);
    update(payment, id, now, |payment| {
        payment.operations.push(operation);
    })
}

/// Moves an operation to another status.
fn enter(
    payment: &mut Payment,
    operation_id: u64,
    (status, code): (Status, Code),
    now: OffsetDateTime,
) -> Option<Change> {
    update(payment, operation_id, now, |payment| {
        if let Some(operation) = payment.operation_mut(operation_id) {
            operation.enter(status, code, now);
        }
    })
}

/// Changes a payment, and dates it if its status or sum has changed.
fn update(
    payment: &mut Payment,
    operation_id: u64,
    now: OffsetDateTime,
    change: impl FnOnce(&mut Payment),
) -> Option<Change> {
    let before = (payment.status(), payment.sum());
    change(payment);
    if before != (payment.status(), payment.sum()) {
        payment.date = now;
    }
    let operation = payment.operation(operation_id)?.clone();
    let payment = payment.clone();
    Some(Change { payment, operation })
}
