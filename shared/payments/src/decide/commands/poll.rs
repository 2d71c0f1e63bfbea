//! Claims status requests. A claim numbers the request. The claim of a scheduled request also schedules the next
//! request, so a lost answer does not stop the polls.

use crate::decide::change::Change;
use crate::decide::emit;
use crate::model::Payment;
use crate::model::schedule::Schedule;
use crate::model::timestamp::Timestamp;

/// Claims a scheduled status request. Returns `None` if no status request is due. If the id of the payment cannot be
/// signed, moves the payment to the overdue payments instead: an earlier release has planned a poll.
pub(super) fn scheduled(
    payment: &Payment,
    schedule: &Schedule,
    due_by: Timestamp,
    at: Timestamp,
) -> Option<Change> {
    if !payment.has_signable_id() {
        return Some(Change {
            payment: payment.clone(),
            events: Vec::new(),
        });
    }
    schedule.poll_at(payment).filter(|due| *due <= due_by)?;
    let is_for_redirect = schedule.is_poll_for_redirect(payment);
    let mut after = payment.clone();
    if is_for_redirect {
        after.record_poll_for_redirect();
    }
    after.polling_mut().advance_schedule(!is_for_redirect, at);
    Some(claim(after, at))
}

pub(super) fn now(payment: &Payment, at: Timestamp) -> Change {
    claim(payment.clone(), at)
}

fn claim(mut payment: Payment, at: Timestamp) -> Change {
    // An abandoned Gate request times out before this poll is counted. So the answer to this poll shows the outcome of
    // that request.
    payment.update_derived(at);
    payment.polling_mut().count_poll();
    // The timeout of a Gate request can make an event due.
    match emit::has_pending_events(&payment, at) {
        true => emit::emit(payment, at),
        false => Change {
            payment,
            events: Vec::new(),
        },
    }
}
