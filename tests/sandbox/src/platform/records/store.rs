//! Finds payments, and makes every change of one.

use std::collections::{BTreeMap, HashMap};

use time::OffsetDateTime;

use super::operation::Operation;
use super::payment::Payment;
use super::status::Status;
use crate::platform::messages::codes::{self, Code};

/// All payments of the project.
#[derive(Debug, Default)]
pub struct Records {
    payments: BTreeMap<String, Payment>,
    by_token: HashMap<String, String>,
}

/// A change of a payment.
#[derive(Debug, Clone)]
pub struct Change {
    /// The payment after the change.
    pub payment: Payment,
    /// The operation that changed.
    pub operation: Operation,
}

impl Change {
    /// The id of the payment.
    pub fn payment_id(&self) -> &str {
        &self.payment.order.payment_id
    }

    /// Whether a later callback will supersede the callback of this change.
    pub fn is_intermediate(&self) -> bool {
        let payment = self.payment.status();
        self.operation.status.is_open()
            || self.payment.held.is_some()
            || payment == Status::AwaitingConfirmation
            || self.payment.is_unconfirmed(&self.operation) && payment.is_open()
    }
}

/// The key of a payment id. The platform compares ids without case.
pub fn key(payment_id: &str) -> String {
    payment_id.to_lowercase()
}

impl Records {
    /// The payment with this id, without regard to case.
    pub fn payment(&self, payment_id: &str) -> Option<&Payment> {
        self.payments.get(&key(payment_id))
    }

    /// All payments, sorted by id.
    pub fn payments(&self) -> impl Iterator<Item = &Payment> {
        self.payments.values()
    }

    /// The payment of a page.
    pub fn at_page(&self, token: &str) -> Option<&Payment> {
        self.payments.get(self.by_token.get(token)?)
    }

    pub(super) fn add(&mut self, payment: Payment) {
        let key = key(&payment.order.payment_id);
        self.by_token.insert(payment.token.clone(), key.clone());
        self.payments.insert(key, payment);
    }

    /// Checks that a new payment can have this id. A used id is free again only after `error`.
    pub(super) fn check_is_free(&self, payment_id: &str) -> Result<(), Code> {
        match self.payment(payment_id) {
            Some(payment) if payment.status() != Status::Error => Err(codes::PAYMENT_EXISTS),
            _ => Ok(()),
        }
    }

    pub(super) fn find(&mut self, payment_id: &str) -> Result<&mut Payment, Code> {
        let payment = self.payments.get_mut(&key(payment_id));
        payment.ok_or(codes::NOT_FOUND)
    }

    pub(super) fn find_by_token(&mut self, token: &str) -> Result<&mut Payment, Code> {
        let key = self.by_token.get(token).ok_or(codes::NOT_FOUND)?;
        self.payments.get_mut(key).ok_or(codes::NOT_FOUND)
    }
}

/// Adds an operation to a payment.
pub fn add_operation(payment: &mut Payment, operation: Operation) -> Result<Change, Code> {
    let (id, now) = (operation.id, operation.date);
    update(payment, id, now, |payment| {
        payment.operations.push(operation);
    })
}

/// Changes the status of an operation.
pub fn set_status(
    payment: &mut Payment,
    operation_id: u64,
    (status, code): (Status, Code),
    now: OffsetDateTime,
) -> Result<Change, Code> {
    update(payment, operation_id, now, |payment| {
        if let Some(operation) = payment.operation_mut(operation_id) {
            operation.set_status(status, code, now);
        }
    })
}

/// Changes a payment. Sets its date if its status or sum has changed.
pub fn update(
    payment: &mut Payment,
    operation_id: u64,
    now: OffsetDateTime,
    change: impl FnOnce(&mut Payment),
) -> Result<Change, Code> {
    let before = (payment.status(), payment.sum());
    change(payment);
    if before != (payment.status(), payment.sum()) {
        payment.date = now;
    }
    let operation = payment.operation(operation_id).cloned();
    let operation = operation.ok_or(codes::NOT_FOUND)?;
    let payment = payment.clone();
    Ok(Change { payment, operation })
}

/// Refuses a change that the state of the payment does not allow.
pub fn check(is_allowed: bool) -> Result<(), Code> {
    match is_allowed {
        true => Ok(()),
        false => Err(codes::STATUS_FORBIDS),
    }
}
