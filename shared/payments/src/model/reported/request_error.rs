//! Reads the errors in reports about our sale and refund requests.

use std::cell::OnceCell;
use std::time::Duration;

use ecommpay::operation::Outcome;
use ecommpay::report::Report;

use super::operation::Operation;
use super::request_ids::RequestIds;
use super::texts;
use crate::model::attempt::gate_request::{self, Duplicate, GateRequest};
use crate::model::payment::Payment;
use crate::model::refunds::attribution::OwnRefunds;
use crate::model::refunds::refund::Refund;
use crate::model::timestamp::Timestamp;

/// The maximum number of stored errors. The error with the greatest `request_id` is dropped first. Errors of our own
/// requests are dropped last.
const MAX_ERRORS: usize = 100;

/// The codes of a failed status request: "not found", and "cannot be shown yet".
const STATUS_REQUEST_CODES: [&str; 2] = ["3061", "3062"];

/// Codes of temporary failures, and of a general decline. In a status answer without operations, such a code can be
/// about the status request. Therefore it does not end a sale.
const CODES_WITHOUT_END: [&str; 13] = [
    "100", "314", "501", "601", "602", "10505", "10601", "10602", "10603", "20202", "20601",
    "20602", "20603",
];

const DAY: u64 = 24 * 3_600;

/// How long the platform can still make a refund after a failed processing has declined its operation.
const MAX_PROCESSING: Duration = Duration::from_secs(DAY);

/// The maximum time between a refund request and the decline of its operation. A later date is wrong and counts as this
/// maximum, because the later date would keep the refund open after its last poll.
const MAX_AGE_AT_DECLINE: Duration = Duration::from_secs(29 * DAY);

/// Returns the code with which a status answer without operations ends the sale; `None` if the outcome stays unknown.
pub(crate) fn ending_error(report: &Report) -> Option<&str> {
    let (code, _) = failed_request(report)?;
    (!CODES_WITHOUT_END.contains(&code)).then_some(code)
}

/// Returns the code of a refused sale or refund request, and the `request_id` if the report names it. Returns `None`
/// if the code does not prove a refusal.
pub(crate) fn failed_request(report: &Report) -> Option<(&str, Option<&str>)> {
    request_error(report).filter(|(code, _)| gate_request::is_conclusive(code))
}

fn request_error(report: &Report) -> Option<(&str, Option<&str>)> {
    let code = report.errors.first().map(|error| error.code.as_str())?;
    let is_error = report.payment_status.as_deref() == Some("error");
    if !is_error || STATUS_REQUEST_CODES.contains(&code) {
        return None;
    }
    // A status answer also lists operations of other requests. The newest operation without success belongs to the
    // failed request.
    let operations = report.operations.iter();
    let failed = operations
        .filter(|operation| operation.outcome() != Outcome::Succeeded)
        .filter(|operation| operation.request_id.is_some())
        .max_by_key(|operation| operation.date.as_deref());
    let request_id = failed.and_then(|operation| operation.request_id.as_deref());
    Some((code, request_id))
}

/// Returns the sort key for the codes of one request. The order is: codes that prove a refusal, codes of a failed
/// processing, then codes that prove no refusal.
fn precedence(code: &str) -> impl Ord + use<'_> {
    let is_inconclusive = !gate_request::is_conclusive(code);
    (
        is_inconclusive,
        gate_request::is_processing_failure(code),
        code,
    )
}

impl Payment {
    /// Adds the error in a report. If reports name different codes for one request, the first by [`precedence`] is
    /// stored. So the order of arrival does not matter.
    pub(super) fn add_request_error(&mut self, report: &Report) {
        let Some((code, request_id)) = request_error(report) else {
            return;
        };
        let is_duplicate = gate_request::is_duplicate(code);
        let Some(request_id) = request_id else {
            self.reported.is_id_duplicate |= is_duplicate;
            return;
        };
        if !gate_request::is_conclusive(code) && !is_duplicate {
            return;
        }
        let known = self
            .reported
            .request_errors
            .entry(texts::id(request_id))
            .or_insert_with(|| texts::code(code));
        if precedence(code) < precedence(known) {
            *known = texts::code(code);
        }
        while self.reported.request_errors.len() > MAX_ERRORS {
            let Some(id) = self.least_needed_error() else {
                return;
            };
            self.reported.request_errors.remove(&id);
        }
    }

    /// Returns the `request_id` of the error that is dropped first.
    fn least_needed_error(&self) -> Option<String> {
        let is_own = self.own_requests();
        let ids = self.reported.request_errors.keys().rev();
        let foreign = ids.clone().find(|id| !is_own(id));
        foreign.or(ids.clone().next()).cloned()
    }

    /// Whether the `request_id` in a report is known to belong to one of our sale or refund requests.
    pub(crate) fn names_own_request(&self, reported_id: &str) -> bool {
        self.own_requests()(&texts::id(reported_id))
    }

    /// Returns the code with which the platform refused the sale request, in Gate's answer or in a report.
    pub fn refusal_code(&self) -> Option<&str> {
        self.refusal_of(&self.attempt.request)
    }

    /// Returns the code with which Gate's answer or a report refused a request. The code of a duplicate id does not
    /// count, because it does not end the request.
    pub(in crate::model) fn refusal_of<'a>(&'a self, request: &'a GateRequest) -> Option<&'a str> {
        match request {
            GateRequest::Refused { code, .. } => Some(code),
            request => self
                .error_of(request)
                .filter(|code| gate_request::is_conclusive(code)),
        }
    }

    /// Returns the code with which Gate's answer or a report refused a refund request. A failed processing does not
    /// count, because the platform can still make the refund.
    pub(in crate::model) fn refusal_of_refund<'a>(
        &'a self,
        request: &'a GateRequest,
    ) -> Option<&'a str> {
        self.refusal_of(request)
            .filter(|_| !self.has_processing_failed(request))
    }

    /// Whether it is unknown if the platform makes a refund. Either the request has no clear answer, or the
    /// processing of an accepted request failed.
    pub(crate) fn has_unknown_outcome(&self, refund: &Refund, at: Timestamp) -> bool {
        let request = refund.request();
        request.has_unknown_outcome(at) || self.has_processing_failed(request)
    }

    /// Whether the platform refused the only try of a refund as a duplicate, in Gate's answer or in a report. Then
    /// the id belongs to a refund of another system.
    pub(crate) fn is_id_of_other_refund(&self, refund: &Refund) -> bool {
        let request = refund.request();
        let is_duplicate = match request {
            GateRequest::Accepted { .. } => self.is_reported_as_duplicate(request),
            _ => request.duplicate() == Some(Duplicate::Foreign),
        };
        is_duplicate && !refund.is_repeated()
    }

    /// Whether an error or a declined operation says that the id of an accepted refund exists already.
    fn is_reported_as_duplicate(&self, request: &GateRequest) -> bool {
        let request_ids = RequestIds::one(request.request_id());
        let mut operations = self.reported.operations.values();
        self.error_of(request)
            .is_some_and(gate_request::is_duplicate)
            || operations.any(|one| one.is_declined_duplicate() && request_ids.are_named_by(one))
    }

    /// Whether reports question an accepted, open refund: its processing failed, or its id exists already.
    pub(crate) fn is_refund_questioned(&self, refund: &Refund) -> bool {
        let request = refund.request();
        let is_accepted = matches!(request, GateRequest::Accepted { .. });
        refund.status().is_reserved()
            && is_accepted
            && (self.has_processing_failed(request) || self.is_reported_as_duplicate(request))
    }

    /// Whether the platform can still make a refund although its operation was declined. This is possible if the
    /// processing failed. A day after the decline, it is no longer possible, if a status poll after the last try was
    /// answered.
    pub(in crate::model) fn may_succeed_after_decline(
        &self,
        refund: &Refund,
        operation: &Operation,
        at: Timestamp,
    ) -> bool {
        let request = refund.request();
        let code = operation.code().or_else(|| self.error_of(request));
        let requested = refund.created_at();
        let declined = operation.changed_at().unwrap_or(requested);
        let declined = declined
            .max(requested)
            .min(requested.after(MAX_AGE_AT_DECLINE));
        let is_answered = request.is_covered_by(self.polling.last_answered());
        operation.is_declined()
            && code.is_some_and(gate_request::is_processing_failure)
            && (!is_answered || at < declined.after(MAX_PROCESSING))
    }

    fn has_processing_failed(&self, request: &GateRequest) -> bool {
        let is_accepted = matches!(request, GateRequest::Accepted { .. });
        let code = self.error_of(request).filter(|_| is_accepted);
        code.is_some_and(gate_request::is_processing_failure)
    }

    /// Whether reports say that the platform did not process an accepted sale request, or that the payment id existed
    /// already.
    pub(in crate::model) fn has_error_of(&self, request: &GateRequest) -> bool {
        let code = self.error_of(request);
        self.reported.is_id_duplicate
            || code.is_some_and(|code| !gate_request::is_processing_failure(code))
    }

    /// Whether reports name an error that ends an accepted request. The codes of a failed processing and of a duplicate
    /// id end no request.
    pub(in crate::model) fn is_ended_by_error(&self, request: &GateRequest) -> bool {
        self.error_of(request).is_some_and(|code| {
            !gate_request::is_processing_failure(code) && !gate_request::is_duplicate(code)
        })
    }

    fn error_of(&self, request: &GateRequest) -> Option<&str> {
        let errors = &self.reported.request_errors;
        errors.get(request.request_id()?).map(String::as_str)
    }

    /// Returns a function that decides whether a stored `request_id` is known to belong to one of our sale or refund
    /// requests.
    fn own_requests(&self) -> impl Fn(&str) -> bool {
        let own_refunds = OnceCell::new();
        move |request_id| {
            self.attempt.request.request_id() == Some(request_id)
                || self.attempt.is_failed_request(request_id)
                || own_refunds
                    .get_or_init(|| OwnRefunds::of(self))
                    .is_request(request_id)
        }
    }
}
