//! The platform's signed answers to our status requests: they decide where callbacks contradict each
//! other.

use ecommpay::report::Report;

use crate::decide::recheck::needs_answer;
use crate::model::timestamp::Timestamp;
use crate::model::{GateRequest, Payment, SignedReport, failed_request, is_storable};

/// An answer that names another payment answers nothing.
pub(super) fn take(payment: &mut Payment, signed: SignedReport<'_>, poll: u32, at: Timestamp) {
    let report = signed.report;
    if !is_about(payment, report) || !is_storable(report) {
        return;
    }
    if report.operations.is_empty() {
        return take_error(payment, report, poll, at);
    }
    payment.polling_mut().answered(poll);
    payment.add_report(signed, true);
    let status = report.payment_status.as_deref();
    let is_settled = needs_answer(payment).is_empty() && !payment.is_unexplained(status);
    payment.polling_mut().rechecked(poll, is_settled, at);
}

/// The platform knows no operation, and an error: the end of the sale that was sent before the status
/// request. Of a sale that was not sent from here, or is not decided yet, it says as much as "not
/// found".
fn take_error(payment: &mut Payment, report: &Report, poll: u32, at: Timestamp) {
    let Some((code, _)) = failed_request(report) else {
        return;
    };
    let request = payment.attempt().request();
    let was_sent = matches!(request, GateRequest::Accepted { .. }) || request.is_lost(at);
    let is_about_sale = was_sent && request.is_before_poll(poll);
    if is_about_sale && payment.operations().len() == 0 {
        payment.sale_request_mut().refuse(code);
    } else {
        payment.polling_mut().not_found(poll, true);
    }
}

fn is_about(payment: &Payment, report: &Report) -> bool {
    let payment_id = report.payment_id.as_deref();
    let project_id = u64::from(payment.project_id().get());
    payment_id.is_none_or(|id| id.eq_ignore_ascii_case(payment.payment_id()))
        && report.project_id.is_none_or(|id| id == project_id)
}
