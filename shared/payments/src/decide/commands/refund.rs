//! Reserves refunds, and repeats refunds with unknown outcome
//! (`shared/decisions/state/0006-refund-reservation.md`).

use crate::decide::change::Change;
use crate::decide::command::Rejection;
use crate::decide::emit;
use crate::model::ids::MerchantId;
use crate::model::timestamp::Timestamp;
use crate::model::{Payment, Refund, RefundOrder, RefundStatus};

/// The maximum number of refunds of a payment that storefronts and operators can request. A further request is refused.
/// There is a limit because a payment is one item of the store, and the size of an item is limited.
pub(super) const MAX_REFUNDS: usize = 500;
/// The maximum number of these refunds that are open. A further request is refused.
const MAX_OPEN: usize = 100;
/// The maximum number of bytes of the descriptions of all open refunds. A request beyond this limit is refused.
const MAX_DESCRIPTION_BYTES: usize = 16 * 1_024;

/// Reserves the amount of a refund and claims the refund request. Returns `Ok(None)` if the same refund was requested
/// before.
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
    let requested = || {
        payment
            .refunds()
            .iter()
            .filter(|one| one.refund_id().is_some())
    };
    let descriptions = requested()
        .filter_map(Refund::description)
        .map(|text| text.as_str().len());
    let bytes = descriptions.sum::<usize>() + order.description.as_str().len();
    let open = requested().filter(|one| one.status().is_reserved()).count();
    let is_full = requested().count() >= MAX_REFUNDS || open >= MAX_OPEN;
    if is_full || bytes > MAX_DESCRIPTION_BYTES {
        return Err(Rejection::TooMany);
    }
    let refundable = payment.refundable_amount();
    let amount = order.amount.unwrap_or(refundable);
    if amount == 0 || amount > refundable {
        return Err(Rejection::MoreThanLeft(refundable));
    }
    let mut after = payment.clone();
    after.reserve_refund(order, amount, at);
    if after.refund_ip_address(&order.refund_id).is_none() {
        return Err(Rejection::NoAddress);
    }
    Ok(Some(emit::emit(after, at)))
}

/// Repeats a refund with unknown outcome, with the same id. If the platform has refused a repeat, ends the refund as
/// declined instead. Returns `None` unless a status request was sent after the last try, and its signed answer listed
/// no operation that could belong to the refund. Also returns `None` if the platform refused the id as a duplicate.
pub(super) fn repeat(payment: &Payment, refund_id: &MerchantId, at: Timestamp) -> Option<Change> {
    let refund = payment.refund(refund_id)?;
    let request = refund.request();
    let is_unknown = refund.status() == RefundStatus::Unknown && request.duplicate().is_none();
    let is_answered = request.is_covered_by(payment.polling().last_answered());
    if !is_unknown || !is_answered || payment.has_candidate_operation(refund) {
        return None;
    }
    let mut after = payment.clone();
    let polls_sent = payment.polling().polls_sent();
    let request = after.refund_request_mut(refund_id)?;
    match request.refused_repeat().map(str::to_owned) {
        Some(code) => {
            request.refuse(&code);
            after.update_derived(at);
        }
        // The status is not updated, because it would change to `pending`, although the outcome is still unknown.
        None => request.send(polls_sent, at),
    }
    Some(emit::emit(after, at))
}
