//! Creating a payment, its next attempt, and sending its sale again.

use ecommpay::fields::ProjectId;

use crate::decide::{Change, emit};
use crate::model::ids::MerchantId;
use crate::model::timestamp::Timestamp;
use crate::model::{Order, Payment, Status};

pub(super) fn create(
    project_id: ProjectId,
    payment_id: &MerchantId,
    order: &Order,
    at: Timestamp,
) -> Change {
    let mut payment = Payment::unknown(project_id, payment_id.as_str(), at);
    payment.start(order.clone(), at);
    emit::emit(payment, at)
}

/// `None`: it has not failed, or its checkout had expired before (another try has another id), or the
/// order is not for the same money.
pub(super) fn retry(payment: &Payment, order: &Order, at: Timestamp) -> Option<Change> {
    let frozen = |order: &Order| (order.amount, order.currency, order.channel);
    let before = payment.order()?;
    let is_same = frozen(before) == frozen(order) && before.storefront == order.storefront;
    if payment.status() != Status::Failed || payment.has_expired() || !is_same {
        return None;
    }
    let mut after = payment.clone();
    after.retry(order.clone(), at);
    Some(emit::emit(after, at))
}

/// `None`: nothing is to be sent again, or it is being sent already.
pub(super) fn resend(payment: &Payment, at: Timestamp) -> Option<Change> {
    let mut after = resent(payment, at)?;
    after.polling_mut().start(at);
    Some(emit::emit(after, at))
}

/// The payment with its sale being sent again, if its outcome is not known.
pub(super) fn resent(payment: &Payment, at: Timestamp) -> Option<Payment> {
    let customer = payment.order()?.customer.as_ref();
    let is_untouched = matches!(payment.status(), Status::Created | Status::Processing);
    let is_lost = payment.attempt().request().is_lost(at);
    if !is_lost || !is_untouched || customer.is_none() || payment.has_successful_sale() {
        return None;
    }
    let mut after = payment.clone();
    let polls_sent = after.polling().polls_sent();
    after.sale_request_mut().send(polls_sent, at);
    Some(after)
}
