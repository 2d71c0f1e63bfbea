//! Creates a payment, starts its next attempt, and sends its sale again.

use ecommpay::fields::ProjectId;

use crate::decide::change::Change;
use crate::decide::emit;
use crate::model::ids::MerchantId;
use crate::model::timestamp::Timestamp;
use crate::model::{Order, Payment, Status};

pub(super) fn create(
    project_id: ProjectId,
    payment_id: &MerchantId,
    order: &Order,
    at: Timestamp,
) -> Change {
    let mut payment = Payment::empty(project_id, payment_id.as_str(), at);
    payment.start_attempt(order.clone(), at);
    emit::emit(payment, at)
}

/// Returns `None` unless the payment has failed and the order is for the same amount, currency and channel.
/// A payment whose checkout has expired gets no further attempt; the storefront must use a new id.
pub(super) fn retry(payment: &Payment, order: &Order, at: Timestamp) -> Option<Change> {
    let frozen = |order: &Order| (order.amount, order.currency, order.channel);
    let before = payment.order()?;
    let is_same = frozen(before) == frozen(order) && before.storefront == order.storefront;
    if payment.status() != Status::Failed || payment.has_expired() || !is_same {
        return None;
    }
    let mut after = payment.clone();
    after.start_next_attempt(order.clone(), at);
    Some(emit::emit(after, at))
}

/// Returns `None` if the sale must not be sent again, or is being sent.
pub(super) fn resend(payment: &Payment, at: Timestamp) -> Option<Change> {
    let mut after = with_sale_sent_again(payment, at)?;
    after.polling_mut().restart(at);
    Some(emit::emit(after, at))
}

/// Claims another sale request. Returns `None` unless the outcome of the last request is unknown and no report
/// has arrived.
pub(super) fn with_sale_sent_again(payment: &Payment, at: Timestamp) -> Option<Payment> {
    let customer = payment.order()?.customer.as_ref();
    let has_status = matches!(payment.status(), Status::Created | Status::Processing);
    let is_unknown = payment.attempt().request().has_unknown_outcome(at);
    if !is_unknown || !has_status || customer.is_none() || payment.has_successful_sale() {
        return None;
    }
    let mut after = payment.clone();
    let polls_sent = after.polling().polls_sent();
    after.sale_request_mut().send(polls_sent, at);
    Some(after)
}
