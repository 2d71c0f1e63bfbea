//! Claiming status requests. Each is numbered when it is claimed, so that the next one is planned
//! whatever will be answered.

use crate::decide::{Change, emit};
use crate::model::Payment;
use crate::model::schedule::Schedule;
use crate::model::timestamp::Timestamp;

/// `None`: nothing is due.
pub(super) fn scheduled(
    payment: &Payment,
    schedule: &Schedule,
    due_by: Timestamp,
    at: Timestamp,
) -> Option<Change> {
    schedule
        .poll_at(payment)
        .filter(|planned| *planned <= due_by)?;
    let is_for_redirect = schedule.is_poll_for_redirect(payment);
    let mut after = payment.clone();
    if is_for_redirect {
        after.poll_for_redirect();
    }
    after.polling_mut().scheduled(!is_for_redirect, at);
    Some(sent(after, at))
}

pub(super) fn now(payment: &Payment, at: Timestamp) -> Change {
    sent(payment.clone(), at)
}

fn sent(mut payment: Payment, at: Timestamp) -> Change {
    // A request that was abandoned by now was sent before this status request.
    payment.settle(at);
    payment.polling_mut().send();
    // Time itself may have brought something: an answer will not come any more.
    match emit::has_pending_events(&payment, at) {
        true => emit::emit(payment, at),
        false => Change {
            payment,
            events: Vec::new(),
        },
    }
}
