//! The end of a checkout: shops release their stock. Money that comes later is emitted as late.

use crate::decide::{Change, emit};
use crate::model::Payment;
use crate::model::timestamp::Timestamp;

/// `None`: it has not ended, or the payment is decided, or it was emitted before.
pub(super) fn expire(payment: &Payment, at: Timestamp) -> Option<Change> {
    payment.expires_at().filter(|end| *end <= at)?;
    let mut after = payment.clone();
    after.expire();
    Some(emit::emit_expiry(after, at))
}
