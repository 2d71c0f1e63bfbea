//! Taking in the platform's signed answers to our questions, which have the last word.

use ecommpay::report::Report;

use super::report::{NOT_FOUND_YET, is_storable, is_unexplained, open_questions, take};
use super::{NO_REFUSAL, News};
use crate::payment::{Doubted, GateRequest, Operation, Outcome, Payment};
use crate::timestamp::Timestamp;

/// An answer that names another payment answers nothing.
pub(super) fn take_status_answer(
    payment: &mut Payment,
    news: News<'_>,
    question: u32,
    at: Timestamp,
) {
    let report = news.report;
    if !is_about(payment, report) || !is_storable(report) {
        return;
    }
    if report.operations.is_empty() {
        return take_nothing_made(payment, report, question, at);
    }
    payment.answered = payment.answered.max(question);
    take(payment, news, true);
    if is_unexplained(payment, report) {
        mark_what_took_money(payment, report);
    }
    let is_left = open_questions(payment) > 0 || is_unexplained(payment, report);
    let heard_since = payment.doubted.filter(|doubted| doubted.after >= question);
    payment.doubted = match is_left {
        // It is asked about again, in its time.
        true => heard_since.or(Some(Doubted {
            after: question.saturating_sub(1),
            since: payment.doubted.map_or(at, |doubted| doubted.since),
        })),
        false => heard_since,
    };
}

/// The platform knows no operation. An error is the end of the sale that was sent before the
/// question. "Not found" may be said too early, so it is only noted, and so is an error of what was
/// not sent from here.
fn take_nothing_made(payment: &mut Payment, report: &Report, question: u32, at: Timestamp) {
    let code = report.errors.first().map(|error| error.code.as_str());
    let is_error = report.payment_status.as_deref() == Some("error");
    let Some(code) = code.filter(|code| is_error && !NO_REFUSAL.contains(code)) else {
        return;
    };
    let was_sent = match payment.sale {
        GateRequest::Accepted { .. } | GateRequest::Unclear => true,
        GateRequest::Sending { .. } => !payment.sale.is_under_way(at),
        GateRequest::None | GateRequest::Refused { .. } => false,
    };
    let is_about_sale = was_sent && question > payment.sale_sent_after;
    if is_about_sale && payment.operations.is_empty() && !NOT_FOUND_YET.contains(&code) {
        payment.sale = GateRequest::Refused {
            code: code.to_owned(),
        };
    } else {
        payment.not_found = payment.not_found.max(question);
    }
}

/// By the platform's signed word these operations are the money, and none of them is a sale.
fn mark_what_took_money(payment: &mut Payment, report: &Report) {
    if payment.order.is_none() {
        return;
    }
    for id in report.operations.iter().filter_map(|one| one.id.as_ref()) {
        let operation = payment.operations.get_mut(id);
        let took_money =
            |one: &&mut Operation| one.outcome == Outcome::Succeeded && !one.is_refund();
        if let Some(operation) = operation.filter(took_money) {
            operation.took_money = true;
        }
    }
}

fn is_about(payment: &Payment, report: &Report) -> bool {
    let payment_id = report.payment_id.as_deref();
    let project_id = u64::from(payment.project_id.get());
    payment_id.is_none_or(|id| id.eq_ignore_ascii_case(&payment.payment_id))
        && report.project_id.is_none_or(|id| id == project_id)
}
