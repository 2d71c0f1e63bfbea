//! Emits the events about the payment itself.

use super::PendingEvent;
use crate::events::EventKind;
use crate::model::timestamp::Timestamp;
use crate::model::{EmittedState, Payment, ShownRefunds, Status, Waiting};

/// Returns the pending events about the payment's status and money, and records them as emitted.
pub(super) fn collect(payment: &mut Payment, status: Status) -> Vec<PendingEvent> {
    // Rejected money never counts as paid. Therefore the events show a refunded rejection as declined, not as refunded.
    let status = match payment.is_rejected() {
        true => Status::Declined,
        false => status,
    };
    let mut pending = Vec::new();
    // `payment.created` is the first event, even if the status has already changed.
    if payment.order().is_some() && payment.emitted().last.is_none() {
        let created = emitted_state(payment, Status::Created);
        payment.emitted_mut().last = Some(created);
        pending.push(PendingEvent::plain(EventKind::PaymentCreated));
    }
    if let Some(kind) = due_kind(payment, status) {
        pending.push(record(payment, status, kind));
    }
    pending
}

fn emitted_state(payment: &Payment, status: Status) -> EmittedState {
    EmittedState {
        status,
        paid_amount: payment.paid_amount(),
        quarantine: payment.quarantine_digest(),
        clarification: payment.clarification_request().map(Waiting::digest),
    }
}

/// Returns the kind of the event about the status and the money; `None` if no such event is due.
fn due_kind(payment: &Payment, status: Status) -> Option<EventKind> {
    let kind = EventKind::of_status(status).filter(|_| payment.is_emittable())?;
    // An emitted success holds until an event corrects the success, so waiting for a confirmation causes no event.
    if payment.emitted().success && status == Status::AwaitingConfirmation {
        return None;
    }
    let Some(last) = &payment.emitted().last else {
        return Some(kind);
    };
    let has_new_kind = EventKind::of_status(last.status) != Some(kind);
    let has_new_money = || {
        last.paid_amount != payment.paid_amount() || last.quarantine != payment.quarantine_digest()
    };
    let has_money = status.is_paid()
        || matches!(
            status,
            Status::Quarantined | Status::Unmatched | Status::Declined
        );
    let clarification = payment.clarification_request().map(Waiting::digest);
    let has_new_clarification =
        status == Status::AwaitingClarification && last.clarification != clarification;
    (has_new_kind || has_money && has_new_money() || has_new_clarification).then_some(kind)
}

/// Records an event of this kind as emitted, and returns the event.
fn record(payment: &mut Payment, status: Status, kind: EventKind) -> PendingEvent {
    let state = emitted_state(payment, status);
    let has_expired = payment.has_expired();
    let emitted = payment.emitted_mut();
    let late = status.is_paid() && (emitted.unsuccessful || has_expired);
    let corrects = match status {
        Status::Declined if emitted.success => Some(EventKind::PaymentSucceeded),
        _ if status.is_paid() && emitted.success_withdrawn => Some(EventKind::PaymentDeclined),
        _ => None,
    };
    if corrects.is_some() || status.is_paid() {
        emitted.success = status.is_paid();
        emitted.success_withdrawn = !emitted.success;
    }
    emitted.unsuccessful |= matches!(status, Status::Declined | Status::Failed);
    emitted.last = Some(state);
    PendingEvent::Payment {
        kind,
        late,
        corrects,
    }
}

/// When `payment.overrefunded` is emitted if only callbacks show the excess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unconfirmed {
    /// After the signed answer of the recheck.
    Waits,
    /// Now, because no further status poll is planned.
    IsEmitted,
}

/// Returns `payment.overrefunded` if this event is pending, and records the event as emitted. After the end of an
/// excess, the next excess has an event even if its refunded amount is the same.
pub(super) fn collect_overrefund(
    payment: &mut Payment,
    unconfirmed: Unconfirmed,
) -> Option<PendingEvent> {
    let Some(excess) = payment.overrefund() else {
        payment.emitted_mut().overrefunded = 0;
        return None;
    };
    let waits = unconfirmed == Unconfirmed::Waits && payment.awaits_answer_about(&excess);
    if waits || payment.emitted().overrefunded == excess.refunded {
        return None;
    }
    payment.emitted_mut().overrefunded = excess.refunded;
    Some(PendingEvent::plain(EventKind::PaymentOverrefunded))
}

/// Records the state that the events of this change show:
///
/// - Since when the events show the payment as paid. If a payment waits for a confirmation after `payment.succeeded`,
///   the success still holds.
/// - The open state, if the payment is open again after an event with a final status. Then the next final status
///   differs from the recorded state, and has an event.
pub(super) fn record_shown_state(payment: &mut Payment, at: Timestamp) {
    let status = payment.status();
    let emitted = payment.emitted_mut();
    emitted.paid_since = match status {
        Status::Succeeded | Status::PartiallyRefunded if emitted.success => {
            emitted.paid_since.or(Some(at))
        }
        open if !open.is_final() => emitted.paid_since,
        _ => None,
    };
    let last = payment.emitted().last.as_ref();
    if last.is_some_and(|last| last.status.is_final()) && !status.is_final() {
        payment.emitted_mut().last = Some(emitted_state(payment, status));
    }
}

/// Returns what the last event says about the refunds if it shows the current state. The money of another system's
/// payment is not shown.
pub(super) fn shown_refunds(payment: &Payment) -> ShownRefunds {
    let unless_foreign = |amount: u64| if payment.is_foreign() { 0 } else { amount };
    ShownRefunds {
        sequence: payment.sequence(),
        refunded_amount: unless_foreign(payment.refunded_amount()),
        pending_refund_amount: unless_foreign(payment.pending_refund_amount()),
        is_fully_refunded: payment.status() == Status::Refunded,
    }
}
