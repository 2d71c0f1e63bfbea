//! What follows where nothing was heard: a sale that never arrived is sent again or ends, and the
//! customer is forgotten.

use super::{Change, announce, checks};
use crate::payment::{GateRequest, Payment, Status};
use crate::schedule::{Next, Schedule};
use crate::timestamp::Timestamp;

/// The code of a checkout that was over before the platform had heard of it.
const EXPIRED: &str = "expired";

/// Marks a payment whose sale was never answered as being sent again, if nobody else is at it.
///
/// The platform's own rule for a request without an answer: repeat it with the same id.
pub fn claim_resend(payment: &Payment, at: Timestamp) -> Option<Change> {
    let mut after = resent(payment, at)?;
    checks::begin(&mut after, at);
    Some(announce::announce(after, at))
}

fn resent(payment: &Payment, at: Timestamp) -> Option<Payment> {
    let customer = payment.order.as_ref()?.customer.as_ref();
    let untouched = matches!(payment.status(), Status::Created | Status::Processing);
    if !is_unanswered(payment, at) || !untouched || customer.is_none() {
        return None;
    }
    let mut after = payment.clone();
    after.sale = GateRequest::Sending {
        since: at,
        again: true,
    };
    Some(after)
}

fn is_unanswered(payment: &Payment, at: Timestamp) -> bool {
    match payment.sale {
        GateRequest::Unclear | GateRequest::Sending { .. } => !payment.sale.is_under_way(at),
        GateRequest::None | GateRequest::Accepted { .. } | GateRequest::Refused { .. } => false,
    }
}

/// What follows once a signed answer to a question that was put later has shown that the platform
/// knows nothing of a payment. Of a checkout: where its repeat was refused, or it is over, it has
/// failed; else its sale is marked as being sent again. Of something doubtful that was heard: after
/// the last question it is settled.
///
/// `None`: nothing follows yet.
pub fn claim_end(payment: &Payment, schedule: &Schedule, at: Timestamp) -> Option<Change> {
    if payment.not_found != payment.questions {
        return None;
    }
    claim_sale_end(payment, schedule, at).or_else(|| claim_doubt_end(payment, schedule, at))
}

fn claim_doubt_end(payment: &Payment, schedule: &Schedule, at: Timestamp) -> Option<Change> {
    let is_answered = payment.not_found > payment.doubted?.after;
    let mut operations = payment.operations.values();
    let nothing_ended = operations.all(|operation| !operation.outcome.is_final());
    if !schedule.is_over(payment) || !is_answered || !nothing_ended || payment.is_open() {
        return None;
    }
    let mut after = payment.clone();
    after.doubted = None;
    super::settle(&mut after, at);
    Some(announce::announce(after, at))
}

fn claim_sale_end(payment: &Payment, schedule: &Schedule, at: Timestamp) -> Option<Change> {
    let end = schedule.unknown_end(payment)?;
    let is_shown = payment.not_found > payment.sale_sent_after && !payment.sale.is_under_way(at);
    if !is_shown || !payment.is_sale_open() {
        return None;
    }
    let asked_after_end = payment.silent_since.is_some_and(|asked| asked >= end);
    let is_known = payment.is_known_to_platform();
    let is_open = payment.order.as_ref()?.expires_at > at;
    let code = match &payment.sale_refused_again {
        Some(code) if !is_known => code.clone(),
        _ if asked_after_end => EXPIRED.to_owned(),
        _ if is_known || !is_open => return None,
        // The next question is planned already, and rarer each time.
        _ => return resent(payment, at).map(|after| announce::announce(after, at)),
    };
    let mut after = payment.clone();
    after.sale = GateRequest::Refused { code };
    super::settle(&mut after, at);
    Some(announce::announce(after, at))
}

/// Forgets who the customer was, when it is time. Of money nothing is forgotten.
pub fn claim_erasure(payment: &Payment, schedule: &Schedule, at: Timestamp) -> Option<Change> {
    match schedule.next(payment)? {
        Next::Erase(planned) if planned <= at => {}
        _ => return None,
    }
    let mut after = payment.clone();
    if let Some(order) = &mut after.order {
        order.customer = None;
    }
    for operation in after.operations.values_mut() {
        operation.waiting = None;
    }
    after.updated_at = at;
    Some(Change {
        payment: after,
        events: Vec::new(),
    })
}
