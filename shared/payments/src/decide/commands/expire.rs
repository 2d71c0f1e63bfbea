//! Expires a checkout. After `checkout.expired`, a shop can sell the goods to another customer. If money arrives later,
//! the event about the money has the field `late`.

use crate::decide::change::Change;
use crate::decide::emit;
use crate::model::Payment;
use crate::model::timestamp::Timestamp;

/// Returns `None` if the checkout has not expired, the payment is decided, or the event was emitted already.
pub(super) fn expire(payment: &Payment, at: Timestamp) -> Option<Change> {
    payment.expires_at().filter(|end| *end <= at)?;
    let mut after = payment.clone();
    after.expire();
    Some(emit::emit_expiry(after, at))
}
