//! Applies a verified callback.

use ecommpay::report::Report;

use crate::decide::recheck;
use crate::model::timestamp::Timestamp;
use crate::model::{Payment, SignedReport, failed_request};

/// Adds the report. Requests a recheck in these cases:
/// - The callback gives a new reason.
/// - The callback has a date in the future.
/// - No operation explains the `payment.status`.
/// - The callback is about a failed request that is possibly not ours.
///
/// The last two cases count only if the callback changes the payment, so that a repeated callback changes nothing.
///
/// `known` is the payment before the callback; `None` if the payment was not stored.
pub(super) fn apply(
    payment: &mut Payment,
    known: Option<&Payment>,
    signed: SignedReport<'_>,
    at: Timestamp,
) {
    let before = recheck::reasons(payment);
    let is_of_future = payment.add_callback(signed, at);
    let status = signed.report.payment_status.as_deref();
    let is_unclear = recheck::is_status_unexplained(payment, status)
        || is_about_unknown_request(payment, signed.report);
    let has_cause = is_of_future || is_unclear && known != Some(payment);
    if has_cause || !recheck::reasons(payment).is_subset(&before) {
        payment.polling_mut().request_recheck(at);
    }
}

/// Whether the report says that a request failed, and the request is not known to be ours.
fn is_about_unknown_request(payment: &Payment, report: &Report) -> bool {
    failed_request(report).is_some_and(|(_, request_id)| {
        !request_id.is_some_and(|request_id| payment.names_own_request(request_id))
    })
}
