//! Emits the events about refunds.

use super::PendingEvent;
use crate::events::EventKind;
use crate::model::timestamp::Timestamp;
use crate::model::{Operation, Payment, Refund, RefundStatus, RevokedRefund, Waiting};

/// An event about the refund at an index.
pub(super) struct PendingRefund {
    pub(super) kind: EventKind,
    pub(super) index: usize,
    pub(super) corrects: Option<EventKind>,
}

/// Returns the indexes of the refunds that differ from their last event and whose next event need not wait.
pub(super) fn pending_refunds(payment: &Payment, at: Timestamp) -> Vec<usize> {
    // The first event about a refund must follow the event about the sale. The refunds of another system's payment have
    // no events. A refund that already has an event is an exception. For example, an operator released the money, and
    // another sale of the other system succeeded later. In this case, the storefront must learn the results of the
    // refunds that it knows.
    let has_sale = !payment.is_foreign()
        && (payment.has_money() || payment.is_not_confirmed() || payment.order().is_none());
    // A callback about the returned refund can still follow. Therefore the event about the return waits until the
    // refund is known, or until a signed answer lists the return. It does not wait if an event said something else about
    // the operation.
    let is_unexplained = |refund: &Refund| {
        let operation = refund.operation_id().and_then(|id| payment.operation(id));
        refund.emitted().status.is_none()
            && payment.is_unattributed_return(refund)
            && !operation.is_some_and(Operation::is_signed)
    };
    let currency = payment.currency();
    let own = payment.unattributed_refunds();
    let refunds = payment.refunds().iter().enumerate();
    refunds
        .filter(|(_, refund)| has_sale || refund.emitted().status.is_some())
        .filter(|(_, refund)| !is_emitted(payment, refund, currency))
        .filter(|(_, refund)| !payment.may_be_own_refund(refund, &own, at))
        .filter(|(_, refund)| !is_unexplained(refund))
        .map(|(index, _)| index)
        .collect()
}

/// Whether the last event about the refund at an index agrees with the state of the refund. Also `true` if there is no
/// refund at this index.
pub(super) fn is_emitted_at(payment: &Payment, index: usize) -> bool {
    let refund = payment.refunds().get(index);
    refund.is_none_or(|refund| is_emitted(payment, refund, payment.currency()))
}

/// Whether the last event about a refund agrees with the state of the refund. `currency` is the payment's currency.
fn is_emitted(payment: &Payment, refund: &Refund, currency: Option<&str>) -> bool {
    let emitted = refund.emitted();
    let request = payment.clarification_request_of(refund);
    let has_new_request = request.is_some_and(|request| {
        let digest = Some(request.digest());
        emitted.clarification != digest
    });
    emitted.status == Some(refund.status())
        && emitted.amount == payment.amount_of_refund(refund, currency)
        && emitted.returned_amount == refund.returned_amount()
        && !has_new_request
}

/// Returns the next event about the refund at an index, and records the event as emitted.
pub(super) fn collect(payment: &mut Payment, index: usize) -> Option<PendingRefund> {
    let refund = payment.refunds().get(index)?;
    let amount = payment.amount_of_refund(refund, payment.currency());
    let (mut status, mut returned_amount) = (refund.status(), refund.returned_amount());
    let was_successful = refund
        .emitted()
        .status
        .is_some_and(RefundStatus::has_succeeded);
    let is_first_success = status.has_succeeded() && !was_successful;
    // The success has a separate event, before the event about the return.
    if returned_amount > 0 && is_first_success && !payment.is_unattributed_return(refund) {
        (status, returned_amount) = (RefundStatus::Succeeded, 0);
    }
    let request = payment.clarification_request_of(refund);
    let clarification = request.map(Waiting::digest);
    let emitted = payment.refunds_mut().get_mut(index)?.emitted_mut();
    let is_return = returned_amount > emitted.returned_amount;
    let corrects = match emitted.status {
        _ if emitted.declined && status.has_succeeded() => Some(EventKind::RefundDeclined),
        // The return that an event reported turned out to belong to another refund.
        Some(RefundStatus::Returned) if status == RefundStatus::Succeeded => {
            Some(EventKind::RefundReturned)
        }
        Some(RefundStatus::Succeeded) if status == RefundStatus::Declined => {
            Some(EventKind::RefundSucceeded)
        }
        _ => None,
    };
    // Only the event about the first success after a decline corrects the decline.
    emitted.declined =
        status == RefundStatus::Declined || emitted.declined && !status.has_succeeded();
    emitted.status = Some(status);
    emitted.amount = amount;
    emitted.returned_amount = returned_amount;
    emitted.clarification = clarification.or(emitted.clarification.take());
    Some(PendingRefund {
        kind: match is_return {
            true => EventKind::RefundReturned,
            false => EventKind::of_refund(status),
        },
        index,
        corrects,
    })
}

/// Returns at most `room` events about revoked refunds, and records them as emitted.
pub(super) fn collect_revoked(
    payment: &mut Payment,
    room: usize,
    at: Timestamp,
) -> Vec<PendingEvent> {
    // The refunds of another system's payment have no events.
    if payment.is_foreign() {
        return Vec::new();
    }
    let revoked = payment.revoked_refunds(at).into_iter().take(room);
    let revoked: Vec<RevokedRefund> = revoked.collect();
    revoked
        .into_iter()
        .map(|RevokedRefund { refund, emitted }| {
            payment.mark_revoked_emitted(&refund);
            let corrects = emitted
                .has_succeeded()
                .then(|| EventKind::of_refund(emitted));
            PendingEvent::Revoked {
                refund: Box::new(refund),
                corrects,
            }
        })
        .collect()
}

/// Whether an event was about a refund of the payment.
pub(super) fn is_any_emitted(payment: &Payment) -> bool {
    let mut refunds = payment.refunds().iter();
    refunds.any(|refund| refund.emitted().status.is_some())
}

/// Whether every refund agrees with its last event. Otherwise, an event about a refund waits.
pub(super) fn are_all_emitted(payment: &Payment) -> bool {
    let currency = payment.currency();
    let mut refunds = payment.refunds().iter();
    refunds.all(|refund| is_emitted(payment, refund, currency))
}

/// Returns the index of the newest refund.
pub(super) fn newest(payment: &Payment) -> Option<usize> {
    let refunds = payment.refunds().iter().enumerate();
    let newest = refunds.max_by_key(|(index, refund)| (refund.created_at(), *index));
    newest.map(|(index, _)| index)
}
