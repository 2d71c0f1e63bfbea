//! Refunds: reserving them, and repeating those whose outcome is not known.

use super::Rejection;
use crate::decide::{Change, emit};
use crate::model::ids::MerchantId;
use crate::model::timestamp::Timestamp;
use crate::model::{GateRequest, Payment, RefundOrder, RefundStatus};

/// No more refunds of one payment are started here, so that what the platform reports can be kept.
pub(super) const MOST_REFUNDS: usize = 500;

/// `Ok(None)`: the same refund was requested before; nothing is to be sent.
pub(super) fn reserve(
    payment: &Payment,
    order: &RefundOrder,
    at: Timestamp,
) -> Result<Option<Change>, Rejection> {
    if let Some(known) = payment.refund(&order.refund_id) {
        return match known.content() == Some(&order.content) {
            true => Ok(None),
            false => Err(Rejection::OtherContent),
        };
    }
    if !payment.is_refundable() {
        return Err(Rejection::NotRefundable);
    }
    if payment.refunds().len() >= MOST_REFUNDS {
        return Err(Rejection::TooMany);
    }
    let left = payment.refundable_amount();
    let amount = order.amount.unwrap_or(left);
    if amount == 0 || amount > left {
        return Err(Rejection::MoreThanLeft(left));
    }
    let mut after = payment.clone();
    after.reserve(order, amount, at);
    if after.refund_address(&order.refund_id).is_none() {
        return Err(Rejection::NoAddress);
    }
    Ok(Some(emit::emit(after, at)))
}

/// What follows for a refund of which it is not known whether it arrived, once a signed answer to a
/// later status request has shown no operation that could be it: it is sent again, with its own id;
/// or, where a repeat was refused, it ends as declined.
///
/// `None`: nothing follows yet.
pub(super) fn repeat(payment: &Payment, refund_id: &MerchantId, at: Timestamp) -> Option<Change> {
    let refund = payment.refund(refund_id)?;
    let request = refund.request();
    let is_lost = refund.status() == RefundStatus::Unknown && request.exists().is_none();
    let is_answered = request.is_before_poll(payment.polling().last_answered());
    if !is_lost || !is_answered || payment.may_be_there(refund) {
        return None;
    }
    let mut after = payment.clone();
    let polls_sent = payment.polling().polls_sent();
    let request = after.refund_request_mut(refund_id)?;
    match request.clone() {
        GateRequest::Unknown {
            refused_repeat: Some(code),
            ..
        } => {
            request.refuse(&code);
            after.settle(at);
        }
        // Its status stays unknown while it is sent again, so nothing is settled anew.
        _ => request.send(polls_sent, at),
    }
    Some(emit::emit(after, at))
}
