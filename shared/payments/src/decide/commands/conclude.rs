//! What follows once an answer to a status request that was sent later has shown that the platform
//! knows nothing of a payment. Of a checkout: where its repeat was refused, or it is over, it has
//! failed; else its sale is sent again. Of something that needed a recheck: after the last status
//! request it is settled, if the answer is signed.

use super::create::resent;
use crate::decide::{Change, emit};
use crate::model::Payment;
use crate::model::schedule::Schedule;
use crate::model::timestamp::Timestamp;

/// The code of a checkout that was over before the platform knew of it.
const EXPIRED: &str = "expired";

/// `None`: nothing follows yet.
pub(super) fn conclude(payment: &Payment, schedule: &Schedule, at: Timestamp) -> Option<Change> {
    let polling = payment.polling();
    if polling.last_not_found() != polling.polls_sent() {
        return None;
    }
    end_sale(payment, schedule, at).or_else(|| end_recheck(payment, schedule, at))
}

fn end_recheck(payment: &Payment, schedule: &Schedule, at: Timestamp) -> Option<Change> {
    let is_answered = payment.polling().is_recheck_answered_not_found();
    let mut operations = payment.operations();
    let nothing_ended = operations.all(|(_, operation)| !operation.outcome().is_final());
    if !schedule.is_over(payment) || !is_answered || !nothing_ended || payment.is_open() {
        return None;
    }
    let mut after = payment.clone();
    after.polling_mut().end_recheck();
    after.settle(at);
    Some(emit::emit(after, at))
}

fn end_sale(payment: &Payment, schedule: &Schedule, at: Timestamp) -> Option<Change> {
    let end = schedule.unknown_end(payment)?;
    let request = payment.attempt().request();
    let polling = payment.polling();
    let is_shown = request.is_before_poll(polling.last_not_found()) && !request.is_under_way(at);
    if !is_shown || !payment.is_sale_open() {
        return None;
    }
    let polled_after_end = polling
        .last_activity_at()
        .is_some_and(|polled| polled >= end);
    let is_known = payment.is_known_to_platform();
    let is_open = payment.order()?.expires_at > at;
    let code = match request.refused_repeat() {
        Some(code) if !is_known => code.to_owned(),
        _ if polled_after_end => EXPIRED.to_owned(),
        _ if is_known || !is_open => return None,
        // The next status request is planned already, and rarer each time.
        _ => return resent(payment, at).map(|after| emit::emit(after, at)),
    };
    let mut after = payment.clone();
    after.sale_request_mut().refuse(&code);
    after.settle(at);
    Some(emit::emit(after, at))
}
