//! A verified callback. What callbacks alone cannot settle is polled at once.

use ecommpay::report::Report;

use crate::decide::recheck::unsettled;
use crate::model::timestamp::Timestamp;
use crate::model::{Payment, SignedReport, failed_request};

/// `known`: the payment before; `None` if nothing was known of it.
pub(super) fn take(
    payment: &mut Payment,
    known: Option<&Payment>,
    signed: SignedReport<'_>,
    at: Timestamp,
) {
    let before = unsettled(payment);
    payment.add_report(signed, false);
    let status = signed.report.payment_status.as_deref();
    let is_unexplained = payment.is_unexplained(status) && known != Some(payment);
    let needs_recheck = is_unexplained || names_unknown_request(payment, signed.report);
    if needs_recheck || !unsettled(payment).is_subset(&before) {
        payment.polling_mut().recheck_now(at);
    }
}

/// Whether a request failed that is not known to be ours.
fn names_unknown_request(payment: &Payment, report: &Report) -> bool {
    failed_request(report)
        .is_some_and(|(_, named)| !named.is_some_and(|named| payment.is_our_request(named)))
}
