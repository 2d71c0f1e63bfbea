//! Reads the answers of Gate: to a sale, a refund or a clarification, and to a status request.
//!
//! The status answer reports the payment. The other answers say only whether the platform accepted the *request*, and
//! they are not signed.
//!
//! Sources ([list](crate::sources)): Gate, organisation; Gate, status; HTTP codes of answers; Codes.

use crate::json::{self, Limits, Value};
use crate::report::Report;

/// The answer to a sale, a refund or a clarification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The platform accepted the request; results arrive by callback.
    Accepted {
        /// Equals `operation.request_id` of the callbacks.
        request_id: Option<String>,
    },
    /// The platform refused the request: HTTP 400, 403, 404 or 422 with an error body.
    Refused(Refusal),
    /// Any other answer: it is unknown whether the platform accepted the request.
    Unclear,
}

/// The reason why the platform refused a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A code of the platform's unified list, as text.
    pub code: String,
    /// The platform's message; not for shoppers.
    pub message: Option<String>,
    /// The platform's id of the request, if the answer has one.
    pub request_id: Option<String>,
}

impl Answer {
    /// Reads an answer from its HTTP status and its body.
    ///
    /// An acceptance has the HTTP status 200 and `"status":"success"`. A refusal has one of the HTTP statuses of
    /// [`Answer::Refused`] and an error code. Every other answer is [`Answer::Unclear`], for example a 5xx or a body
    /// that is not JSON.
    pub fn read(status: u16, body: &[u8]) -> Self {
        let Ok(message) = json::parse(body, Limits::CALLBACK) else {
            return Answer::Unclear;
        };
        let says_success = message.get("status").and_then(Value::as_str) == Some("success");
        match status {
            200 if says_success => Answer::Accepted {
                request_id: message.id_at("request_id"),
            },
            _ if says_success => Answer::Unclear,
            400 | 403 | 404 | 422 => refusal(&message).map_or(Answer::Unclear, Answer::Refused),
            _ => Answer::Unclear,
        }
    }
}

/// The codes of a request whose signature the platform does not accept: "Invalid signature" and "Empty signature".
const SIGNATURE_REFUSED: [&str; 2] = ["3261", "3262"];

impl Refusal {
    /// Returns whether the platform refused the signature of the request, probably because our key was replaced.
    pub fn is_about_signature(&self) -> bool {
        SIGNATURE_REFUSED.contains(&self.code.as_str())
    }
}

/// Returns whether the body of an answer is an error about the signature of the request. Ignores the HTTP status. A
/// body with `payment` or `operations` is a report, even if it has the code of such an error.
pub fn is_signature_refused(body: &[u8]) -> bool {
    let Ok(message) = json::parse(body, Limits::CALLBACK) else {
        return false;
    };
    let is_report = message.get("payment").is_some() || message.get("operations").is_some();
    !is_report && refusal(&message).is_some_and(|refusal| refusal.is_about_signature())
}

/// Reads an error body: `{"code":..,"message":..}` or `{"errors":[{"code":..,"message":..}]}`. The body can have
/// further fields, such as `status` and `request_id`. Only the first of several errors is read.
fn refusal(message: &Value<'_>) -> Option<Refusal> {
    let first = || message.get("errors")?.elements().first();
    let source = match message.text_at("code") {
        Some(_) => message,
        None => first()?,
    };
    Some(Refusal {
        code: source.text_at("code")?,
        message: source.text_at("message"),
        request_id: message.id_at("request_id"),
    })
}

/// The answer to a status request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one answer per status request, and nearly every answer is a report"
)]
pub enum StatusAnswer {
    /// Any answer except the two answers below, read as a report about the payment.
    Report(Report),
    /// The platform does not have the payment (code 3061). This answer can be unsigned if it has no payment object.
    NotFound,
    /// The platform accepted the status request but cannot read the details of the payment at present (code 3062). This
    /// answer says nothing about the payment.
    NotReadable,
}

impl StatusAnswer {
    /// Reads the body of an answer with the HTTP status 200. Does not verify the signature.
    pub fn read(message: &Value<'_>) -> Self {
        let report = Report::read(message);
        let is_error = match message.get("payment").map(Value::members) {
            Some([_, ..]) => report.payment_status.as_deref() == Some("error"),
            _ => message.get("status").and_then(Value::as_str) == Some("error"),
        };
        let code = refusal(message).map(|refusal| refusal.code);
        match code.as_deref() {
            Some("3061") if is_error && report.operations.is_empty() => StatusAnswer::NotFound,
            Some("3062") if is_error && report.operations.is_empty() => StatusAnswer::NotReadable,
            _ => StatusAnswer::Report(report),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_refusal_only_with_a_4xx_status_and_an_error_code() {
        let refused = |code: &str| {
            Answer::Refused(Refusal {
                code: code.into(),
                message: Some("no".into()),
                request_id: None,
            })
        };
        let read = |status, body: &str| Answer::read(status, body.as_bytes());
        let error = r#"{"status":"error","code":"2004","message":"no"}"#;
        assert_eq!(read(400, error), refused("2004"));
        assert_eq!(read(403, error), refused("2004"));
        assert_eq!(read(404, error), refused("2004"));
        assert_eq!(
            read(422, r#"{"errors":[{"code":2004,"message":"no"}]}"#),
            refused("2004")
        );
        assert_eq!(
            read(
                400,
                r#"{"code":null,"errors":[{"code":"2004","message":"no"}]}"#
            ),
            refused("2004")
        );
        let with_request_id = r#"{"status":"error","request_id":"r-1","project_id":211,"payment_id":"p",
            "code":3061,"message":"no"}"#;
        assert_eq!(
            read(400, with_request_id),
            Answer::Refused(Refusal {
                code: "3061".into(),
                message: Some("no".into()),
                request_id: Some("r-1".into()),
            })
        );
        for (status, body) in [
            (
                400,
                r#"{"status":"success","code":"0","message":"Success"}"#,
            ),
            (400, r#"{"status":"error","code":null}"#),
            (500, error),
            (404, "{}"),
            (404, "<html>"),
            (200, error),
            (400, "{}"),
            (400, "<html>"),
            (200, ""),
            (302, r#"{"status":"success"}"#),
        ] {
            assert_eq!(read(status, body), Answer::Unclear, "{status} {body}");
        }
        assert_eq!(
            read(
                200,
                r#"{"status":"success","request_id":"r-1","project_id":211,"payment_id":"p"}"#
            ),
            Answer::Accepted {
                request_id: Some("r-1".into())
            }
        );
    }

    #[test]
    fn code_3061_means_not_found_in_both_forms_and_code_3062_means_not_readable() {
        let read = |body: &str| {
            let message = json::parse(body.as_bytes(), Limits::ANSWER).unwrap();
            StatusAnswer::read(&message)
        };
        for body in [
            r#"{"project_id":211,"payment":{"id":"p","status":"error"},"errors":[{"code":"3061"}]}"#,
            r#"{"status":"error","code":"3061","message":"Transaction not found"}"#,
            r#"{"status":"error","code":3061}"#,
            r#"{"status":"error","project_id":211,"errors":[{"code":3061}]}"#,
            r#"{"status":"error","payment":[],"code":"3061"}"#,
        ] {
            assert_eq!(read(body), StatusAnswer::NotFound, "{body}");
        }
        for body in [
            r#"{"project_id":211,"payment":{"id":"p","status":"error"},"errors":[{"code":"3062"}]}"#,
            r#"{"status":"error","code":"3062"}"#,
        ] {
            assert_eq!(read(body), StatusAnswer::NotReadable, "{body}");
        }
        for body in [
            r#"{"payment":{"id":"p","status":"success"},"errors":[{"code":"3061"}],"status":"error"}"#,
            r#"{"payment":{"id":"p","status":"error"},"errors":[{"code":"2004"}]}"#,
            r#"{"payment":{"id":"p","status":"error"},"errors":[{"code":"3061"}],
                "operations":[{"id":1,"type":"sale","status":"processing"}]}"#,
            r#"{"status":"error","code":"2004"}"#,
            r#"{"status":"success","code":"3061"}"#,
            "{}",
        ] {
            assert!(matches!(read(body), StatusAnswer::Report(_)), "{body}");
        }
    }
}
