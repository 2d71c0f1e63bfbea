//! The answers of Gate: to a sale, a refund or a clarification, and to a status request.
//!
//! The first say whether the *request* was taken, never how the payment ended, and carry no signature.

use crate::json::{self, Limits, Value};
use crate::report::Report;

/// What the platform made of a request.
///
/// Source: Gate, organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The request was taken; news come by callback.
    Accepted {
        /// Equals `operation.request_id` of the callbacks.
        request_id: Option<String>,
    },
    /// The request was refused: HTTP 400, 403, 404 or 422 with an error body.
    Refused(Refusal),
    /// Anything else: the request may or may not have been taken.
    Unclear,
}

/// Why a request was refused.
///
/// Source: Gate, organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A code of the platform's unified list, as text.
    pub code: String,
    /// The platform's own words; not for shoppers.
    pub message: Option<String>,
    /// The platform's name of the request, if the answer has one.
    pub request_id: Option<String>,
}

impl Answer {
    /// Reads the answer to a sale or a refund.
    ///
    /// A refusal needs a parsed body with a code that does not speak of success; 5xx, no JSON and
    /// every other form leave it open whether the request was taken.
    pub fn read(status: u16, body: &[u8]) -> Self {
        let Ok(message) = json::parse(body, Limits::CALLBACK) else {
            return Answer::Unclear;
        };
        let says_success = message.get("status").and_then(Value::as_str) == Some("success");
        match status {
            200 if says_success => Answer::Accepted {
                request_id: message.text_at("request_id"),
            },
            _ if says_success => Answer::Unclear,
            400 | 403 | 404 | 422 => refusal(&message).map_or(Answer::Unclear, Answer::Refused),
            _ => Answer::Unclear,
        }
    }
}

/// `{"status":"error","code":..,"message":..}`, with or without the fields of an acceptance, or
/// `{"errors":[{"code":..,"message":..}]}`.
fn refusal(message: &Value<'_>) -> Option<Refusal> {
    let first = || message.get("errors")?.elements().first();
    let source = match message.text_at("code") {
        Some(_) => message,
        None => first()?,
    };
    Some(Refusal {
        code: source.text_at("code")?,
        message: source.text_at("message"),
        request_id: message.text_at("request_id"),
    })
}

/// What the platform says to a status request about a payment.
///
/// Source: Gate, status; HTTP codes of answers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one lives per status request, and nearly all are reports"
)]
pub enum StatusAnswer {
    /// The payment as the platform knows it, or the error of a request about it.
    Report(Report),
    /// The platform knows nothing of the payment (code 3061): with a payment object in the status
    /// `error`, or without one. The second form may be unsigned.
    NotFound,
    /// The request was taken, and its details cannot be read just now (code 3062). Nothing may be
    /// concluded from it.
    NotReadable,
}

impl StatusAnswer {
    /// Reads the body of an answer with HTTP status 200. Says nothing about its signature.
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
    fn only_a_parsed_refusal_is_a_refusal() {
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
        let six = r#"{"status":"error","request_id":"r-1","project_id":211,"payment_id":"p",
            "code":3061,"message":"no"}"#;
        assert_eq!(
            read(400, six),
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
    fn not_found_has_two_forms_and_3062_is_neither() {
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
