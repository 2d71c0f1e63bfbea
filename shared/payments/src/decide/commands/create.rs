//! Runs the commands that start or repeat a sale.

use ecommpay::fields::ProjectId;

use crate::decide::change::Change;
use crate::decide::command::Rejection;
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

/// Starts the next attempt. Returns `None` unless the payment has failed, and the new order has the same storefront,
/// amount, currency, channel and `order_id`. Also returns `None` after `checkout.expired`, because the storefront must
/// then use a new `payment_id`.
pub(super) fn retry(
    payment: &Payment,
    order: &Order,
    at: Timestamp,
) -> Result<Option<Change>, Rejection> {
    // Late money of an earlier attempt counts for the payment, so it must be for the same order.
    let is_same = |before: &Order| {
        let fixed = |order: &Order| (order.amount, order.currency, order.channel);
        fixed(before) == fixed(order)
            && before.storefront == order.storefront
            && before.order_id == order.order_id
    };
    let can_follow = payment.status() == Status::Failed && !payment.has_expired();
    if !can_follow || !payment.order().is_some_and(is_same) {
        return Ok(None);
    }
    if payment.attempt().is_last() {
        return Err(Rejection::TooManyAttempts);
    }
    if payment.is_of_another_system() {
        return Err(Rejection::OtherSystem);
    }
    let mut after = payment.clone();
    after.start_next_attempt(order.clone(), at);
    Ok(Some(emit::emit(after, at)))
}

/// Claims and counts a repeat of the sale, and restarts the schedule of status polls. Returns `None` if a limit of
/// repeats is reached, or if [`with_sale_sent_again`] returns `None`.
pub(super) fn resend(payment: &Payment, at: Timestamp) -> Option<Change> {
    if !payment.attempt().allows_repeat(at) {
        return None;
    }
    let mut after = with_sale_sent_again(payment, at)?;
    after.attempt_mut().count_repeat();
    after.polling_mut().restart(at);
    Some(emit::emit(after, at))
}

/// Claims a repeat of the sale. Returns `None` unless all of these conditions hold:
/// - The outcome of the last try is unknown.
/// - The status is `created` or `processing`, and no sale has succeeded.
/// - No report shows a sale of another system.
/// - The customer's data is not erased.
pub(super) fn with_sale_sent_again(payment: &Payment, at: Timestamp) -> Option<Payment> {
    let customer = payment.order()?.customer.as_ref();
    let has_status = matches!(payment.status(), Status::Created | Status::Processing);
    let is_unknown = payment.attempt().request().has_unknown_outcome(at);
    let has_sale = payment.has_successful_sale() || payment.has_sale_of_another_system();
    if !is_unknown || !has_status || customer.is_none() || has_sale {
        return None;
    }
    let mut after = payment.clone();
    after.send_sale_again(at);
    Some(after)
}
