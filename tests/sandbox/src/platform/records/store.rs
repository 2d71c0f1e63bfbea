//! Stores all payments of the project. Each payment is found by its id and by the token of its pages.

use std::collections::{BTreeMap, HashMap};

use super::payment::Payment;
use super::status::Status;
use crate::platform::messages::codes::{self, Code};

/// All payments of the project.
#[derive(Debug, Default)]
pub struct Records {
    payments: BTreeMap<String, Payment>,
    by_token: HashMap<String, String>,
}

/// Returns the key of a payment id. The platform compares ids without case.
pub fn key(payment_id: &str) -> String {
    payment_id.to_lowercase()
}

impl Records {
    /// Returns the payment with this id, without regard to case.
    pub fn payment(&self, payment_id: &str) -> Option<&Payment> {
        self.payments.get(&key(payment_id))
    }

    /// Returns the payment with this id, without regard to case, so that the caller can change the payment.
    pub fn find(&mut self, payment_id: &str) -> Result<&mut Payment, Code> {
        let payment = self.payments.get_mut(&key(payment_id));
        payment.ok_or(codes::NOT_FOUND)
    }

    /// Returns all payments, sorted by id.
    pub fn payments(&self) -> impl Iterator<Item = &Payment> {
        self.payments.values()
    }

    /// Returns the payment whose pages have this token. After an error, this can be a newer payment with the same id.
    pub fn at_page(&self, token: &str) -> Option<&Payment> {
        self.payments.get(self.by_token.get(token)?)
    }

    /// Adds a new payment. Returns a refusal if a payment with the same id exists, unless the existing payment is in
    /// `error`.
    pub fn add(&mut self, payment: Payment) -> Result<(), Code> {
        let key = key(&payment.order.payment_id);
        let earlier = self.payments.get(&key);
        if earlier.is_some_and(|earlier| earlier.status() != Status::Error) {
            return Err(codes::PAYMENT_EXISTS);
        }
        self.by_token.insert(payment.token.clone(), key.clone());
        self.payments.insert(key, payment);
        Ok(())
    }
}
