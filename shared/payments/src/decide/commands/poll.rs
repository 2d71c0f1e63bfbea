//! Claims status requests. A claim gives the request its number. A scheduled claim also plans the next poll, so a lost
//! answer does not stop polling. The claim of the last planned poll emits the event that waited for an answer.

use crate::decide::change::Change;
use crate::decide::emit;
use crate::model::Payment;
use crate::model::schedule::Schedule;
use crate::model::timestamp::Timestamp;

/// Claims a scheduled status request. Returns `None` if none is due. Never polls a payment whose id cannot be signed.
/// An earlier release possibly planned a poll for such a payment. Therefore the change moves the payment to the overdue
/// payments.
pub(super) fn scheduled(
    payment: &Payment,
    schedule: &Schedule,
    due_by: Timestamp,
    at: Timestamp,
) -> Option<Change> {
    if !payment.has_signable_id() {
        return Some(without_events(payment.clone()));
    }
    schedule.poll_at(payment).filter(|due| *due <= due_by)?;
    let is_for_redirect = schedule.is_poll_for_redirect(payment);
    let mut after = payment.clone();
    if is_for_redirect {
        after.record_poll_for_redirect();
    }
    after.polling_mut().advance_schedule(!is_for_redirect, at);
    count(&mut after, at);
    Some(match schedule.is_overdue(&after) {
        true => claim_last(after, at),
        false => claim(after, at),
    })
}

pub(super) fn now(payment: &Payment, at: Timestamp) -> Change {
    let mut after = payment.clone();
    count(&mut after, at);
    claim(after, at)
}

fn count(payment: &mut Payment, at: Timestamp) {
    // An abandoned Gate request must time out before this poll is counted. Only then does the answer to this poll show
    // the outcome of the request.
    payment.update_derived(at);
    payment.polling_mut().count_poll();
}

fn claim(payment: Payment, at: Timestamp) -> Change {
    // The timeout can make an event due.
    match emit::has_pending_events(&payment, at) {
        true => emit::emit(payment, at),
        false => without_events(payment),
    }
}

fn claim_last(payment: Payment, at: Timestamp) -> Change {
    let is_underived = payment.has_underived_facts();
    let change = emit::emit_at_last_poll(payment.clone(), at);
    match is_underived || !change.events.is_empty() {
        true => change,
        false => without_events(payment),
    }
}

fn without_events(payment: Payment) -> Change {
    Change {
        payment,
        events: Vec::new(),
    }
}
