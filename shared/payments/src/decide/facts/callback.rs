//! Applies a verified callback. If callbacks alone cannot decide something, an immediate status poll becomes due.

use ecommpay::report::Report;

use crate::decide::recheck;
use crate::model::timestamp::Timestamp;
use crate::model::{Payment, SignedReport, failed_request};

/// Adds the report of a callback, and requests a recheck if the callback gives a new reason for a recheck. `known` is
/// the payment before the callback; `None` if we did not have the payment.
pub(super) fn apply(
    payment: &mut Payment,
    known: Option<&Payment>,
    signed: SignedReport<'_>,
    at: Timestamp,
) {
    let before = recheck::reasons(payment);
    payment.add_report(signed, None);
    let status = signed.report.payment_status.as_deref();
    let is_unexplained = recheck::is_status_unexplained(payment, status) && known != Some(payment);
    let has_cause = is_unexplained || is_about_unknown_request(payment, signed.report);
    if has_cause || !recheck::reasons(payment).is_subset(&before) {
        payment.polling_mut().request_recheck(at);
    }
}

/// Whether the report says that a sale or refund request failed, and this request is not known to be ours.
fn is_about_unknown_request(payment: &Payment, report: &Report) -> bool {
    failed_request(report).is_some_and(|(_, request_id)| {
        !request_id.is_some_and(|request_id| payment.names_own_request(request_id))
    })
}
