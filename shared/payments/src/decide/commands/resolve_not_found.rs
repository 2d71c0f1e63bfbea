//! Acts on the answer "not found" to the last status request.

use super::create::with_sale_sent_again;
use crate::decide::change::Change;
use crate::decide::emit;
use crate::model::Payment;
use crate::model::schedule::Schedule;
use crate::model::timestamp::Timestamp;

/// The code of a sale that the platform did not find before the deadline.
const EXPIRED: &str = "expired";

/// Returns `None` if the answer has no consequence yet.
pub(super) fn resolve(payment: &Payment, schedule: &Schedule, at: Timestamp) -> Option<Change> {
    let polling = payment.polling();
    if polling.last_not_found() != polling.polls_sent() {
        return None;
    }
    resolve_sale(payment, schedule, at).or_else(|| end_recheck(payment, schedule, at))
}

/// Ends or repeats a sale that the platform does not find:
/// - The sale ends if the last scheduled poll was at or after the deadline.
/// - The sale ends if the platform refused a repeat, and does not know the sale.
/// - Otherwise the sale is repeated, if the platform does not know it and the checkout has not expired.
fn resolve_sale(payment: &Payment, schedule: &Schedule, at: Timestamp) -> Option<Change> {
    let deadline = schedule.not_found_deadline(payment)?;
    let request = payment.attempt().request();
    let polling = payment.polling();
    let is_covered = request.is_covered_by(polling.last_not_found()) && !request.is_in_flight(at);
    if !is_covered || !payment.is_sale_open() {
        return None;
    }
    let last_activity = polling.last_activity_at();
    let is_past_deadline = last_activity.is_some_and(|last_activity| last_activity >= deadline);
    let is_known = payment.is_known_to_platform();
    let is_checkout_open = payment.order()?.expires_at > at;
    let code = match request.refused_repeat() {
        Some(code) if !is_known => code.to_owned(),
        _ if is_past_deadline => EXPIRED.to_owned(),
        _ if is_known || !is_checkout_open => return None,
        // The schedule is not restarted. Therefore a sale that is never found is repeated after growing delays.
        _ => return with_sale_sent_again(payment, at).map(|after| emit::emit(after, at)),
    };
    let mut after = payment.clone();
    after.attempt_mut().refuse(&code);
    after.update_derived(at);
    Some(emit::emit(after, at))
}

/// Ends a recheck that no further poll can decide. All of these conditions must hold:
/// - Polling is over.
/// - A signed answer says "not found".
/// - No operation has a final outcome.
/// - The payment is not open.
fn end_recheck(payment: &Payment, schedule: &Schedule, at: Timestamp) -> Option<Change> {
    let is_not_found = payment.polling().is_recheck_not_found();
    let mut operations = payment.operations();
    let has_ended = operations.any(|(_, operation)| operation.outcome().is_final());
    if !schedule.is_overdue(payment) || !is_not_found || has_ended || payment.is_open() {
        return None;
    }
    let mut after = payment.clone();
    after.polling_mut().cancel_recheck();
    after.update_derived(at);
    Some(emit::emit(after, at))
}
