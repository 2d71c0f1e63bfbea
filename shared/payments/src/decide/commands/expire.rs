//! The expiry of a checkout. A shop can release its stock; later money is emitted as late.

use crate::decide::change::Change;
use crate::decide::emit;
use crate::model::Payment;
use crate::model::timestamp::Timestamp;

/// Returns `None` if the checkout is not over, the payment is decided, or `checkout.expired` was emitted
/// before.
pub(super) fn expire(payment: &Payment, at: Timestamp) -> Option<Change> {
    payment.expires_at().filter(|end| *end <= at)?;
    let mut after = payment.clone();
    after.expire();
    Some(emit::emit_expiry(after, at))
}
