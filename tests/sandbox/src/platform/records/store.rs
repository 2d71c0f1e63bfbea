//! Stores the payments of the project, by id and by the token of their pages.

use std::collections::{BTreeMap, HashMap};

use super::payment::Payment;
use super::status::Status;
use crate::platform::messages::codes::{self, Code};

#[derive(Debug, Default)]
pub struct Records {
    payments: BTreeMap<String, Payment>,
    by_token: HashMap<String, String>,
}

/// The platform ignores the case of a payment id.
pub fn key(payment_id: &str) -> String {
    payment_id.to_lowercase()
}

impl Records {
    pub fn payment(&self, payment_id: &str) -> Option<&Payment> {
        self.payments.get(&key(payment_id))
    }

    pub fn find(&mut self, payment_id: &str) -> Result<&mut Payment, Code> {
        let payment = self.payments.get_mut(&key(payment_id));
        payment.ok_or(codes::NOT_FOUND)
    }

    /// Sorted by id.
    pub fn payments(&self) -> impl Iterator<Item = &Payment> {
        self.payments.values()
    }

    /// Returns the payment of the page with this token. If the payment ended in `error` and its id was used again,
    /// returns the newer payment.
    pub fn at_page(&self, token: &str) -> Option<&Payment> {
        self.payments.get(self.by_token.get(token)?)
    }

    /// Refused if the id is in use by a payment that is not in `error`.
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
