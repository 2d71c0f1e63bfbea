//! Emitting the events of a change: what differs from what was emitted before.

use std::time::Duration;

use super::Change;
use crate::events::view::{DiscrepancyView, OperationView, RefundView};
use crate::events::{About, Event, EventKind};
use crate::model::timestamp::Timestamp;
use crate::model::{Discrepancy, EmittedState, Payment, Refund, RefundStatus, Status, Waiting};

/// No change has more events: it is one write of the store, which takes 4 MB, and an event carries
/// the whole state, which may take 400 KB. The rest is emitted by the next change.
const MOST_EVENTS: usize = 8;

/// How long a refund operation without a name may turn out to be one of ours.
const NAMES_COME_WITHIN: Duration = Duration::from_secs(15 * 60);

/// An event that is to be emitted.
enum PendingEvent {
    Payment {
        kind: EventKind,
        late: bool,
        corrects: Option<EventKind>,
    },
    Refund {
        kind: EventKind,
        index: usize,
        corrects: Option<EventKind>,
    },
    EarlierPayments,
    Discrepancy(Discrepancy),
}

/// Whether anything is known and not emitted.
pub(crate) fn has_pending_events(payment: &Payment, at: Timestamp) -> bool {
    !take_pending(&mut payment.clone(), at).is_empty()
}

/// Numbers and writes the events of a change.
pub(super) fn emit(mut payment: Payment, at: Timestamp) -> Change {
    let pending = take_pending(&mut payment, at);
    write(payment, pending, at)
}

/// The same with the end of the checkout first.
pub(super) fn emit_expiry(mut payment: Payment, at: Timestamp) -> Change {
    let mut pending = vec![PendingEvent::Payment {
        kind: EventKind::CheckoutExpired,
        late: false,
        corrects: None,
    }];
    pending.extend(take_pending(&mut payment, at));
    write(payment, pending, at)
}

fn write(mut payment: Payment, pending: Vec<PendingEvent>, at: Timestamp) -> Change {
    payment.set_updated_at(at);
    let mut events = Vec::with_capacity(pending.len());
    for event in pending {
        payment.next_sequence();
        let (kind, about) = match &event {
            PendingEvent::Payment {
                kind,
                late,
                corrects,
            } => {
                let about = About::Payment {
                    operation: OperationView::deciding(&payment),
                    late: *late,
                    corrects: corrects.map(EventKind::as_str),
                };
                (*kind, about)
            }
            PendingEvent::EarlierPayments => {
                let about = About::PaidBefore {
                    operation: OperationView::deciding(&payment),
                    other_payment_ids: payment.earlier_payments_of_order(),
                };
                (EventKind::OrderPaidTwice, about)
            }
            PendingEvent::Discrepancy(discrepancy) => {
                let about = About::Difference {
                    operation: OperationView::find(&payment, &discrepancy.operation_id),
                    difference: DiscrepancyView::new(discrepancy),
                };
                (EventKind::ReconciliationDifference, about)
            }
            PendingEvent::Refund {
                kind,
                index,
                corrects,
            } => match payment.refunds().get(*index) {
                Some(refund) => {
                    let about = About::Refund {
                        refund: RefundView::new(&payment, refund),
                        corrects: corrects.map(EventKind::as_str),
                    };
                    (*kind, about)
                }
                None => continue,
            },
        };
        events.push(Event::new(&payment, kind, about, at));
    }
    Change { payment, events }
}

/// What is to be emitted, in its order; noted as emitted from now on.
fn take_pending(payment: &mut Payment, at: Timestamp) -> Vec<PendingEvent> {
    let mut pending = Vec::new();
    let status = payment.status();
    take_payment_events(payment, status, &mut pending);
    for index in refunds_to_emit(payment, at) {
        // A refund that succeeded and was taken back at once has two.
        let is_due = |payment: &Payment| {
            let refund = payment.refunds().get(index);
            refund.is_some_and(|refund| !is_emitted(payment, index, refund))
        };
        while pending.len() < MOST_EVENTS && is_due(payment) {
            pending.extend(take_refund_event(payment, index));
        }
    }
    // Emitted even if the amounts shown are capped: the merchant must know of an excess refund.
    let (refunded, paid) = (payment.refunded_amount(), payment.paid_amount());
    let is_over = refunded > paid && (paid > 0 || payment.is_not_confirmed());
    let is_emitted = payment.emitted().overrefunded == refunded;
    if is_over && !is_emitted && pending.len() < MOST_EVENTS {
        payment.emitted_mut().overrefunded = refunded;
        pending.push(PendingEvent::Payment {
            kind: EventKind::PaymentOverrefunded,
            late: false,
            corrects: None,
        });
    }
    if pending.len() < MOST_EVENTS && payment.take_earlier_payments_to_emit() {
        pending.push(PendingEvent::EarlierPayments);
    }
    let room = MOST_EVENTS.saturating_sub(pending.len());
    let discrepancies = payment.discrepancies_mut().take_pending(room);
    pending.extend(discrepancies.into_iter().map(PendingEvent::Discrepancy));
    note_shown(payment, status, &pending);
    pending
}

/// Where an event after the end of a payment shows it in progress again, its next end is emitted anew.
fn note_shown(payment: &mut Payment, status: Status, pending: &[PendingEvent]) {
    let is_shown = !pending.is_empty() && EventKind::of_status(status).is_none();
    if let Some(last) = &mut payment.emitted_mut().last {
        let is_end = matches!(last.status, Status::Declined | Status::Failed);
        if is_shown && is_end {
            last.status = status;
        }
    }
}

fn state_of(payment: &Payment, status: Status) -> EmittedState {
    EmittedState {
        status,
        paid_amount: payment.paid_amount(),
        quarantine: payment.quarantine(),
        clarification: payment.clarification_request().map(Waiting::digest),
    }
}

/// The events about the payment itself.
fn take_payment_events(payment: &mut Payment, status: Status, pending: &mut Vec<PendingEvent>) {
    // An order starts with this event, also where it goes on at once.
    if payment.order().is_some() && payment.emitted().last.is_none() {
        let created = state_of(payment, Status::Created);
        payment.emitted_mut().last = Some(created);
        pending.push(PendingEvent::Payment {
            kind: EventKind::PaymentCreated,
            late: false,
            corrects: None,
        });
    }
    let Some(kind) = payment_event(payment, status) else {
        return;
    };
    let state = state_of(payment, status);
    let has_expired = payment.has_expired();
    let emitted = payment.emitted_mut();
    let late = status.is_paid() && (emitted.end || has_expired);
    let corrects = match status {
        Status::Declined if emitted.success => Some(EventKind::PaymentSucceeded),
        _ if status.is_paid() && emitted.success_withdrawn => Some(EventKind::PaymentDeclined),
        _ => None,
    };
    if corrects.is_some() || status.is_paid() {
        emitted.success = status.is_paid();
        emitted.success_withdrawn = !emitted.success;
    }
    emitted.end |= matches!(status, Status::Declined | Status::Failed);
    emitted.last = Some(state);
    pending.push(PendingEvent::Payment {
        kind,
        late,
        corrects,
    });
}

/// The event that the payment itself needs, if any.
fn payment_event(payment: &Payment, status: Status) -> Option<EventKind> {
    let kind = EventKind::of_status(status).filter(|_| payment.is_reported())?;
    // It was never taken as paid; that it went back is the refund's event.
    if payment.is_rejected() {
        return None;
    }
    // What was emitted as paid stays so until it is withdrawn.
    if payment.emitted().success && status == Status::AwaitingConfirmation {
        return None;
    }
    let Some(last) = &payment.emitted().last else {
        return Some(kind);
    };
    let same_kind = EventKind::of_status(last.status) == Some(kind);
    let same_money =
        last.paid_amount == payment.paid_amount() && last.quarantine == payment.quarantine();
    // Of money everything is emitted again whenever it changes.
    let is_money = status.is_paid() || matches!(status, Status::Quarantined | Status::Unmatched);
    let clarification = payment.clarification_request().map(Waiting::digest);
    let is_asked = status == Status::AwaitingClarification;
    let is_new =
        !same_kind || is_money && !same_money || is_asked && last.clarification != clarification;
    is_new.then_some(kind)
}

/// The refunds that differ from what was emitted of them.
fn refunds_to_emit(payment: &Payment, at: Timestamp) -> Vec<usize> {
    // A refund is emitted after the sale it belongs to; what was started is emitted to its end.
    let has_sale = payment.has_money() || payment.is_not_confirmed() || payment.order().is_none();
    let is_excess = payment.has_excess_returns();
    let is_signed = |refund: &Refund| {
        let operation = refund.operation_id().and_then(|id| payment.operation(id));
        operation.is_some_and(|operation| operation.is_signed())
    };
    let refunds = payment.refunds().iter().enumerate();
    refunds
        .filter(|(_, refund)| has_sale || refund.emitted().status.is_some())
        .filter(|(index, refund)| !is_emitted(payment, *index, refund))
        .filter(|(_, refund)| !may_be_ours(payment, refund, at))
        // More returns than refunds: the refund is still to be reported, or an answer says so.
        .filter(|(_, refund)| {
            !is_excess || is_signed(refund) || !payment.is_unattributed_return(refund)
        })
        .map(|(index, _)| index)
        .collect()
}

fn is_emitted(payment: &Payment, index: usize, refund: &Refund) -> bool {
    let emitted = refund.emitted();
    let clarification = payment.clarification_request_of(refund);
    let asks_more = clarification.is_some_and(|waiting| {
        let digest = Some(waiting.digest());
        emitted.clarification != digest
    });
    emitted.status == Some(refund.status())
        && emitted.amount == payment.amount_of_refund(index)
        && emitted.returned_amount == refund.returned_amount()
        && !asks_more
}

fn take_refund_event(payment: &mut Payment, index: usize) -> Option<PendingEvent> {
    let amount = payment.amount_of_refund(index);
    let refund = payment.refunds().get(index)?;
    let (mut status, mut returned_amount) = (refund.status(), refund.returned_amount());
    let is_done = |status| matches!(status, RefundStatus::Succeeded | RefundStatus::Returned);
    let is_first = is_done(status) && !refund.emitted().status.is_some_and(is_done);
    if returned_amount > 0 && is_first && !payment.is_unattributed_return(refund) {
        (status, returned_amount) = (RefundStatus::Succeeded, 0);
    }
    let clarification = payment
        .clarification_request_of(refund)
        .map(Waiting::digest);
    let emitted = payment.refunds_mut().get_mut(index)?.emitted_mut();
    let is_return = returned_amount > emitted.returned_amount;
    let is_done = is_done(status);
    let corrects = match emitted.status {
        _ if emitted.declined && is_done => Some(EventKind::RefundDeclined),
        // What seemed to be taken back may belong to another refund.
        Some(RefundStatus::Returned) if status == RefundStatus::Succeeded => {
            Some(EventKind::RefundReturned)
        }
        Some(RefundStatus::Succeeded) if status == RefundStatus::Declined => {
            Some(EventKind::RefundSucceeded)
        }
        _ => None,
    };
    // An event corrects the decline once.
    emitted.declined = status == RefundStatus::Declined || emitted.declined && !is_done;
    emitted.status = Some(status);
    emitted.amount = amount;
    emitted.returned_amount = returned_amount;
    emitted.clarification = clarification.or(emitted.clarification.take());
    Some(PendingEvent::Refund {
        kind: match is_return {
            true => EventKind::RefundReturned,
            false => EventKind::of_refund(status),
        },
        index,
        corrects,
    })
}

/// When the first refund that is withheld will be emitted.
pub(crate) fn withheld_until(payment: &Payment) -> Option<Timestamp> {
    let refunds = payment.refunds().iter();
    let withheld = refunds.filter(|refund| {
        let is_emitted = refund.emitted().status == Some(refund.status());
        !is_emitted && may_be_ours(payment, refund, payment.updated_at())
    });
    withheld
        .map(|refund| refund.created_at().after(NAMES_COME_WITHIN))
        .min()
}

/// Whether a refund that seems to be external may be one of ours whose answer has not come: its
/// callback, which names it, may follow.
fn may_be_ours(payment: &Payment, refund: &Refund, at: Timestamp) -> bool {
    let is_nameless = |ours: &Refund| {
        ours.operation_id().is_none()
            && ours.request().request_id().is_none()
            && ours.status().is_reserved()
            && ours.amount() == refund.amount()
    };
    refund.refund_id().is_none()
        && !payment.is_unattributed_return(refund)
        && refund.created_at().after(NAMES_COME_WITHIN) > at
        && payment.refunds().iter().any(is_nameless)
}
