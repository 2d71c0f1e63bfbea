//! Counts the requests about each payment.

use std::collections::{BTreeMap, HashMap};

use crate::platform::faults::RequestKind;
use crate::platform::records::key;

pub type Counts = BTreeMap<RequestKind, u32>;

/// The counts of the requests about each payment. The counts include refused and lost requests.
#[derive(Debug, Default)]
pub struct RequestCounters(HashMap<String, Counts>);

impl RequestCounters {
    /// Returns the counts of a payment, or `None` if no request has named the payment.
    pub fn of(&self, payment_id: &str) -> Option<Counts> {
        self.0.get(&key(payment_id)).cloned()
    }

    pub fn count(&mut self, payment_id: &str, kind: RequestKind) {
        let counts = self.0.entry(key(payment_id)).or_insert_with(no_requests);
        *counts.entry(kind).or_default() += 1;
    }
}

pub fn no_requests() -> Counts {
    RequestKind::ALL.map(|kind| (kind, 0)).into()
}
