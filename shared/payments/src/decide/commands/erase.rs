//! Forgetting who the customer was.

use crate::decide::Change;
use crate::model::Payment;
use crate::model::schedule::Schedule;
use crate::model::timestamp::Timestamp;

/// `None`: it is not time, or nothing personal is kept.
pub(super) fn erase(payment: &Payment, schedule: &Schedule, at: Timestamp) -> Option<Change> {
    schedule
        .erase_at(payment)
        .filter(|planned| *planned <= at)?;
    let mut after = payment.clone();
    after.erase_customer();
    after.set_updated_at(at);
    Some(Change {
        payment: after,
        events: Vec::new(),
    })
}
