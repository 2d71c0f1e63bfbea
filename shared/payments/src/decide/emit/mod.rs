//! Emits the events of a change: an event for each difference between the new state and what the last events said.

mod payment_events;
mod refund_events;

use self::payment_events::{Unconfirmed, collect_overrefund};
use self::refund_events::PendingRefund;
use crate::decide::change::Change;
use crate::events::view::{DiscrepancyView, OperationView, PaymentView, RefundView};
use crate::events::{About, Event, EventKind};
use crate::model::timestamp::Timestamp;
use crate::model::{Discrepancy, Payment, Refund};

/// The maximum number of events that one change emits, without the events that [`emit_expiry`] and
/// [`emit_at_last_poll`] add. A change is one write of at most 4 MB. Each event contains the whole payment, and a
/// payment has at most 400 KB. The next change emits the remaining events.
const MAX_EVENTS: usize = 8;

/// An event that is due but not emitted yet.
enum PendingEvent {
    Payment {
        kind: EventKind,
        late: bool,
        corrects: Option<EventKind>,
    },
    Refund(PendingRefund),
    /// An external refund that the payment no longer lists.
    Revoked {
        refund: Box<Refund>,
        corrects: Option<EventKind>,
    },
    EarlierPayments,
    Discrepancy(Discrepancy),
}

impl PendingEvent {
    /// Returns an event about the payment without `late` and `corrects`.
    fn plain(kind: EventKind) -> Self {
        Self::Payment {
            kind,
            late: false,
            corrects: None,
        }
    }

    /// Returns the kind and the subject of the event; `None` if the refund does not exist.
    fn describe<'a>(&'a self, payment: &'a Payment) -> Option<(EventKind, About<'a>)> {
        Some(match self {
            Self::Payment {
                kind,
                late,
                corrects,
            } => {
                let about = About::Payment {
                    operation: OperationView::deciding(payment),
                    late: *late,
                    corrects: corrects.map(EventKind::as_str),
                };
                (*kind, about)
            }
            Self::Refund(pending) => {
                let refund = payment.refunds().get(pending.index)?;
                let about = About::Refund {
                    refund: RefundView::new(payment, refund),
                    corrects: pending.corrects.map(EventKind::as_str),
                    repeats: payment.repeated_refund(refund),
                };
                (pending.kind, about)
            }
            Self::Revoked { refund, corrects } => {
                let about = About::Refund {
                    refund: RefundView::new(payment, refund),
                    corrects: corrects.map(EventKind::as_str),
                    repeats: None,
                };
                (EventKind::RefundDeclined, about)
            }
            Self::EarlierPayments => {
                let about = About::PaidBefore {
                    operation: OperationView::deciding(payment),
                    other_payment_ids: payment.earlier_payments_of_order(),
                };
                (EventKind::OrderPaidTwice, about)
            }
            Self::Discrepancy(discrepancy) => {
                // The storefront must not see the operations of another system's payment.
                let is_shown = !payment.is_foreign();
                let operation = OperationView::find(payment, &discrepancy.operation_id);
                let about = About::Difference {
                    operation: operation.filter(|_| is_shown),
                    difference: DiscrepancyView::new(discrepancy, is_shown),
                };
                (EventKind::ReconciliationDifference, about)
            }
        })
    }
}

/// Whether at least one event is due but not emitted yet. Also returns true if a release added facts and derived
/// nothing from them. The next change must then store what follows from these facts.
pub(crate) fn has_pending_events(payment: &Payment, at: Timestamp) -> bool {
    payment.has_underived_facts() || !collect_pending(&mut payment.clone(), at).is_empty()
}

/// Whether the change has the maximum number of events, and leaves further events to the next change.
pub(crate) fn leaves_events(change: &Change) -> bool {
    let Change { payment, events } = change;
    events.len() >= MAX_EVENTS && has_pending_events(payment, payment.updated_at())
}

/// Creates the change with the pending events of the payment.
pub(super) fn emit(mut payment: Payment, at: Timestamp) -> Change {
    let pending = collect_pending(&mut payment, at);
    create_events(payment, &pending, at)
}

/// Creates the change with `checkout.expired` as its first event. The pending events of the payment follow.
pub(super) fn emit_expiry(mut payment: Payment, at: Timestamp) -> Change {
    let mut pending = vec![PendingEvent::plain(EventKind::CheckoutExpired)];
    pending.extend(collect_pending(&mut payment, at));
    create_events(payment, &pending, at)
}

/// Creates the change of the last planned poll. If `payment.overrefunded` waits for a signed answer, it is the first
/// event, because no later poll would end its wait.
pub(super) fn emit_at_last_poll(mut payment: Payment, at: Timestamp) -> Change {
    let mut pending = Vec::new();
    if !payment.needs_newer_release() {
        pending.extend(collect_overrefund(&mut payment, Unconfirmed::IsEmitted));
    }
    pending.extend(collect_pending(&mut payment, at));
    create_events(payment, &pending, at)
}

fn create_events(mut payment: Payment, pending: &[PendingEvent], at: Timestamp) -> Change {
    payment.set_updated_at(at);
    payment.mark_derived();
    let mut events = Vec::with_capacity(pending.len());
    if pending.is_empty() {
        return Change { payment, events };
    }
    payment_events::record_shown_state(&mut payment, at);
    let first = payment.sequence() + 1;
    pending.iter().for_each(|_| payment.next_sequence());
    record_shown_refunds(&mut payment);
    // Only the sequence number of the view differs between the events.
    let mut view = PaymentView::new(&payment, at);
    for (sequence, event) in (first..).zip(pending) {
        if let Some((kind, about)) = event.describe(&payment) {
            view.set_sequence(sequence);
            events.push(Event::new(&payment, &view, kind, about, at));
        }
    }
    Change { payment, events }
}

/// Records the refunds that the events of this change show. Most payments have no refund, and store nothing.
fn record_shown_refunds(payment: &mut Payment) {
    let refunds = payment_events::shown_refunds(payment);
    let is_needed = refunds.has_amount() || refund_events::is_any_emitted(payment);
    payment.emitted_mut().shown = is_needed.then_some(refunds);
}

/// Returns the pending events in order, at most [`MAX_EVENTS`], and records them as emitted. Returns no events if the
/// payment needs a newer release. The outbox sweep of the newer release finds the payment and emits its events.
fn collect_pending(payment: &mut Payment, at: Timestamp) -> Vec<PendingEvent> {
    if payment.needs_newer_release() {
        return Vec::new();
    }
    let status = payment.status();
    let mut pending = payment_events::collect(payment, status);
    for index in refund_events::pending_refunds(payment, at) {
        // A refund that succeeded and was returned in one change has two events.
        while pending.len() < MAX_EVENTS && !refund_events::is_emitted_at(payment, index) {
            pending.extend(refund_events::collect(payment, index).map(PendingEvent::Refund));
        }
    }
    let room = MAX_EVENTS.saturating_sub(pending.len());
    pending.extend(refund_events::collect_revoked(payment, room, at));
    if pending.len() < MAX_EVENTS {
        pending.extend(collect_overrefund(payment, Unconfirmed::Waits));
    }
    if pending.len() < MAX_EVENTS && payment.mark_earlier_payments_emitted() {
        pending.push(PendingEvent::EarlierPayments);
    }
    let room = MAX_EVENTS.saturating_sub(pending.len());
    let discrepancies = payment.discrepancies_mut().drain_pending(room);
    pending.extend(discrepancies.into_iter().map(PendingEvent::Discrepancy));
    if pending.is_empty() {
        pending.extend(collect_unexplained(payment));
    }
    pending
}

/// Returns an event if the last event shows other refunded or reserved sums than the payment has, the status is final,
/// and no event explains the difference. For example, a signed answer can list refunds that the payment has no room to store.
///
/// The event is about the newest refund, because a repeated `payment.succeeded` could ship the goods again.
fn collect_unexplained(payment: &Payment) -> Option<PendingEvent> {
    let status = payment.status();
    let refunds = payment_events::shown_refunds(payment);
    let differs = match &payment.emitted().shown {
        Some(shown) => shown.sequence == refunds.sequence && *shown != refunds,
        None => refunds.has_amount() && !refund_events::is_any_emitted(payment),
    };
    if !differs || !status.is_final() || !refund_events::are_all_emitted(payment) {
        return None;
    }
    let Some(index) = refund_events::newest(payment) else {
        return EventKind::of_status(status).map(PendingEvent::plain);
    };
    let refund = payment.refunds().get(index)?;
    Some(PendingEvent::Refund(PendingRefund {
        kind: EventKind::of_refund(refund.status()),
        index,
        corrects: None,
    }))
}
