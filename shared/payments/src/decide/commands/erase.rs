//! Erases the customer's data.

use crate::decide::change::Change;
use crate::model::Payment;
use crate::model::schedule::Schedule;
use crate::model::timestamp::Timestamp;

/// Returns `None` if the retention time is not over, a refund is open, or there is no personal data.
pub(super) fn erase(payment: &Payment, schedule: &Schedule, at: Timestamp) -> Option<Change> {
    schedule.erase_at(payment).filter(|due| *due <= at)?;
    let mut after = payment.clone();
    after.erase_customer();
    after.set_updated_at(at);
    Some(Change {
        payment: after,
        events: Vec::new(),
    })
}
