//! Reserves refunds, and repeats refunds with unknown outcome (`shared/decisions/state/0006-refund-reservation.md`).

use ecommpay::fields::{MinorUnits, Text};

use crate::decide::change::Change;
use crate::decide::command::Rejection;
use crate::decide::emit;
use crate::model::ids::MerchantId;
use crate::model::timestamp::Timestamp;
use crate::model::{DUPLICATE_REFUND, GateRequest, Payment, Refund, RefundOrder, RefundStatus};

/// The maximum number of requested refunds of a payment, without those that Gate refused. The number is limited,
/// because the payment is one store item of limited size.
const MAX_REFUNDS: usize = 500;
/// The maximum number of requested refunds, with those that Gate refused. A refused refund needs less space.
const MAX_WITH_REFUSED: usize = 800;
/// The maximum number of requested refunds that are pending or unknown.
const MAX_OPEN: usize = 100;
/// The maximum size of the descriptions of all open refunds, in bytes.
const MAX_DESCRIPTION_BYTES: usize = 16 * 1_024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Requester {
    Storefront,
    /// An operator who rejects money. Each limit is higher for a rejection. Therefore an operator can still reject
    /// money when storefronts have reached their limits.
    Rejection,
}

/// The number of additional refunds for rejections.
const EXTRA_REJECTIONS: usize = 20;
/// The maximum number of requested refunds of a payment, with rejections.
pub(super) const MAX_REQUESTED: usize = MAX_WITH_REFUSED + EXTRA_REJECTIONS;

/// Whether another refund with this description would exceed a limit.
fn is_full(payment: &Payment, description: &Text, requester: Requester) -> bool {
    let (extra, extra_bytes) = match requester {
        Requester::Storefront => (0, 0),
        Requester::Rejection => (EXTRA_REJECTIONS, EXTRA_REJECTIONS * 64),
    };
    let all = payment.refunds().iter();
    let requested: Vec<&Refund> = all.filter(|one| one.refund_id().is_some()).collect();
    let is_open = |one: &&&Refund| one.status().is_reserved();
    let descriptions = requested.iter().filter(is_open);
    let descriptions = descriptions.filter_map(|one| one.description());
    let lengths = descriptions.map(|text| text.as_str().len());
    let bytes = lengths.sum::<usize>() + description.as_str().len();
    let is_refused = |one: &&&Refund| matches!(one.request(), GateRequest::Refused { .. });
    let refused = requested.iter().filter(is_refused).count();
    let open = requested.iter().filter(is_open).count();
    requested.len() - refused >= MAX_REFUNDS + extra
        || requested.len() >= MAX_WITH_REFUSED + extra
        || open >= MAX_OPEN + extra
        || bytes > MAX_DESCRIPTION_BYTES + extra_bytes
}

/// Reserves the amount of a refund and claims its request. Returns `Ok(None)` if the same refund was requested
/// before. Refuses an id that a report names: the report would count for the new refund.
pub(super) fn reserve(
    payment: &Payment,
    order: &RefundOrder,
    requester: Requester,
    at: Timestamp,
) -> Result<Option<Change>, Rejection> {
    if let Some(known) = payment.refund(&order.refund_id) {
        return match known.content() == Some(&order.content) {
            true => Ok(None),
            false => Err(Rejection::OtherContent),
        };
    }
    if payment.is_refund_id_reported(&order.refund_id) {
        return Err(Rejection::OtherContent);
    }
    if !payment.is_refundable() {
        return Err(Rejection::NotRefundable);
    }
    if is_full(payment, &order.description, requester) {
        return Err(Rejection::TooMany);
    }
    let refundable = payment.refundable_amount();
    let amount = order.amount.unwrap_or(refundable);
    if amount == 0 || amount > refundable {
        return Err(Rejection::MoreThanLeft(refundable));
    }
    // Gate accepts no greater amount. A greater refund could never be sent, and its amount would stay reserved.
    if amount > MinorUnits::MAX {
        return Err(Rejection::NotRefundable);
    }
    let mut after = payment.clone();
    after.reserve_refund(order, amount, at);
    if after.refund_ip_address(&order.refund_id).is_none() {
        return Err(Rejection::NoAddress);
    }
    after.update_derived(at);
    Ok(Some(emit::emit(after, at)))
}

/// Repeats a refund with unknown outcome, with the same id. If the platform refused a repeat, or another system's
/// refund has the id, ends the refund as declined instead. Returns `None` in these cases:
/// - No status answer after the last try shows that the platform lacks the refund. Such an answer lists no operation
///   that could belong to the refund.
/// - The platform refused a repeat as a duplicate.
/// - A repeat could refund more than was paid.
/// - The description was erased, because the refund had ended before.
pub(super) fn repeat(payment: &Payment, refund_id: &MerchantId, at: Timestamp) -> Option<Change> {
    let refund = payment.refund(refund_id)?;
    let request = refund.request();
    let is_reported = refund.operation_id().is_some();
    let is_unknown = refund.status() == RefundStatus::Unknown
        && payment.has_unknown_outcome(refund, at)
        && request.duplicate().is_none()
        && !is_reported;
    let is_id_used =
        refund.status().is_reserved() && !is_reported && payment.is_id_of_other_refund(refund);
    let is_answered = request.is_covered_by(payment.polling().last_answered());
    if !is_unknown && !is_id_used || !is_answered || payment.has_candidate_operation(refund) {
        return None;
    }
    let mut after = payment.clone();
    let refused_repeat = request.refused_repeat();
    match refused_repeat.or(is_id_used.then_some(DUPLICATE_REFUND)) {
        Some(code) => after.refund_request_mut(refund_id)?.refuse(code),
        None if payment.exceeds_paid_amount() || refund.description().is_none() => return None,
        None => after.send_refund_again(refund_id, at),
    }
    after.update_derived(at);
    Some(emit::emit(after, at))
}
