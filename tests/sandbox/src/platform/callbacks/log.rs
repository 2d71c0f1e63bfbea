//! Stores a log of all callbacks, which the control API shows.

use std::collections::HashMap;

use serde::Serialize;

use crate::platform::records::{Change, Status, key};

#[derive(Debug, Default)]
pub struct CallbackLog(HashMap<String, Vec<CallbackEntry>>);

/// The delivery of one callback, or of one copy of a callback.
#[derive(Debug, Clone, Serialize)]
pub struct CallbackEntry {
    payment_status: Status,
    operation_id: u64,
    operation_type: String,
    operation_status: Status,
    /// The sequence number of the copy; 0 for the original.
    copy: u8,
    pub attempts: u32,
    /// The HTTP status of the last answer, or the reason why there was no answer.
    pub last_answer: Option<String>,
    pub delivered: bool,
}

impl CallbackEntry {
    /// Returns an entry without attempts.
    pub fn new(change: &Change, copy: u8) -> Self {
        Self {
            payment_status: change.payment.status(),
            operation_id: change.operation.id,
            operation_type: change.operation.type_name().to_owned(),
            operation_status: change.operation.status,
            copy,
            attempts: 0,
            last_answer: None,
            delivered: false,
        }
    }
}

impl CallbackLog {
    /// Returns the entries of a payment, in the order of its changes.
    pub fn of(&self, payment_id: &str) -> &[CallbackEntry] {
        let entries = self.0.get(&key(payment_id));
        entries.map(Vec::as_slice).unwrap_or_default()
    }

    /// Adds an entry and returns its position in the payment's log.
    pub fn add(&mut self, payment_id: &str, entry: CallbackEntry) -> usize {
        let entries = self.0.entry(key(payment_id)).or_default();
        entries.push(entry);
        entries.len() - 1
    }

    pub fn entry_mut(&mut self, payment_id: &str, number: usize) -> Option<&mut CallbackEntry> {
        self.0.get_mut(&key(payment_id))?.get_mut(number)
    }

    /// Whether the platform has already sent a later callback of the payment.
    pub fn is_overtaken(&self, payment_id: &str, number: usize) -> bool {
        let later = self.of(payment_id).iter().skip(number + 1);
        later.into_iter().any(|entry| entry.attempts > 0)
    }
}
