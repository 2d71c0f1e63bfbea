//! Applies the signed answer to a status request.

use ecommpay::report::Report;

use crate::decide::recheck;
use crate::model::timestamp::Timestamp;
use crate::model::{GateRequest, Payment, SignedReport, ending_error, is_storable};

/// Ignores an answer that names another payment or exceeds a size limit.
pub(super) fn apply(payment: &mut Payment, signed: SignedReport<'_>, poll: u32, at: Timestamp) {
    let report = signed.report;
    if !names_payment(report, payment) || !is_storable(report) {
        return;
    }
    if report.operations.is_empty() {
        apply_error(payment, report, poll, at);
        return;
    }
    payment.polling_mut().record_answer(poll);
    payment.add_signed_answer(signed, at);
    let status = report.payment_status.as_deref();
    let is_decided = recheck::reasons_for_answer(payment).is_empty()
        && !recheck::is_status_unexplained(payment, status);
    payment.polling_mut().update_recheck(poll, is_decided, at);
}

/// Applies an answer without operations. Such an answer can have an error that ends the sale. The error counts only if
/// the sale was sent before the status request, and no operation was reported. Otherwise the answer counts as "not
/// found". An answer without such an error changes nothing, and polling continues.
fn apply_error(payment: &mut Payment, report: &Report, poll: u32, at: Timestamp) {
    let Some(code) = ending_error(report) else {
        return;
    };
    let request = payment.attempt().request();
    let is_accepted = matches!(request, GateRequest::Accepted { .. });
    let was_sent = is_accepted || request.has_unknown_outcome(at);
    let is_about_sale = was_sent && request.is_covered_by(poll);
    if is_about_sale && payment.operations().len() == 0 {
        payment.attempt_mut().refuse(code);
    } else {
        payment.polling_mut().record_not_found(poll, true);
    }
}

/// Whether the report names this payment or no payment.
fn names_payment(report: &Report, payment: &Payment) -> bool {
    let payment_id = report.payment_id.as_deref();
    let project_id = u64::from(payment.project_id().get());
    payment_id.is_none_or(|id| id.eq_ignore_ascii_case(payment.payment_id()))
        && report.project_id.is_none_or(|id| id == project_id)
}
