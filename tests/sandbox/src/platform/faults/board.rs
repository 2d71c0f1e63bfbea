//! The switches of all payments.

use std::collections::HashMap;
use std::time::Duration;

use super::{Answer, Faults, Kind};
use crate::platform::records::key;

/// The switches of all payments.
#[derive(Debug, Default)]
pub struct FaultBoard {
    /// For payments without switches of their own.
    pub defaults: Faults,
    by_payment: HashMap<String, Faults>,
}

impl FaultBoard {
    /// The switches of a payment.
    pub fn of(&self, payment_id: &str) -> &Faults {
        let own = self.by_payment.get(&key(payment_id));
        own.unwrap_or(&self.defaults)
    }

    /// The switches of a payment, if it has its own.
    pub fn own(&self, payment_id: &str) -> Option<&Faults> {
        self.by_payment.get(&key(payment_id))
    }

    /// Replaces the switches of a payment, which need not exist yet.
    pub fn set(&mut self, payment_id: &str, faults: Faults) {
        self.by_payment.insert(key(payment_id), faults);
    }

    /// How the next request of a kind about a payment is answered, and how slowly. From the
    /// first request on the payment has its own switches, whatever the defaults become.
    pub fn next_answer(&mut self, payment_id: &str, kind: Kind) -> (Answer, Duration) {
        let own = self.by_payment.entry(key(payment_id));
        let faults = own.or_insert_with(|| self.defaults.clone());
        let slow = Duration::from_millis(faults.slow_ms);
        if !faults.answer_to.contains(&kind) {
            return (Answer::Ok, slow);
        }
        match faults.answer_times.as_mut() {
            None => (faults.answer, slow),
            Some(0) => (Answer::Ok, slow),
            Some(times) => {
                *times -= 1;
                (faults.answer, slow)
            }
        }
    }
}
