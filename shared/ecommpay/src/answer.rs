//! The synchronous answers of Gate to a sale or a refund.
//!
//! They say whether the *request* was taken, never how the payment ended, and carry no signature.

use crate::json::{self, Limits, Value};
use crate::report::{ErrorItem, Operation, Report};

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
    /// The request was refused: HTTP 400, 403 or 422 with an error body.
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
            400 | 403 | 422 => refusal(&message).map_or(Answer::Unclear, Answer::Refused),
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

/// What became of one request: the signed answer to [`crate::gate::RequestStatus`]. HTTP 404 there
/// means that the platform does not know the request.
///
/// Source: Gate, status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestOutcome {
    /// The request.
    pub request_id: String,
    /// The payment it belongs to.
    pub payment_id: Option<String>,
    /// Its raw status.
    pub status: Option<String>,
    /// The operations of the payment.
    pub operations: Vec<Operation>,
    /// Why it failed.
    pub errors: Vec<ErrorItem>,
}

impl RequestOutcome {
    /// Reads an answer whose signature was verified; `None` if it names no request.
    pub fn read(message: &Value<'_>) -> Option<Self> {
        let report = Report::read(message);
        Some(Self {
            request_id: message.text_at("request_id")?,
            payment_id: report.payment_id,
            status: message.text_at("status"),
            operations: report.operations,
            errors: report.errors,
        })
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
            (404, error),
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
    fn the_outcome_of_a_request_names_its_operations() {
        let body = br#"{"general":{"project_id":211,"payment_id":"p"},"request_id":"r-1","status":"decline",
            "transaction":{"id":7,"type":"purchase"},"sum_request":{"amount":50,"currency":"EUR"},
            "operations":[{"id":7,"type":"sale","status":"decline","sum":{"amount":50,"currency":"EUR"},"code":"20101"}],
            "errors":[{"code":20101,"message":"no"}],"signature":"x"}"#;
        let message = json::parse(body, Limits::CALLBACK).unwrap();
        let outcome = RequestOutcome::read(&message).unwrap();
        assert_eq!(
            (outcome.request_id.as_str(), outcome.payment_id.as_deref()),
            ("r-1", Some("p"))
        );
        assert_eq!(outcome.status.as_deref(), Some("decline"));
        assert_eq!(outcome.operations[0].code.as_deref(), Some("20101"));
        assert_eq!(
            outcome.operations[0]
                .sum_initial
                .as_ref()
                .map(|sum| sum.amount),
            Some(50)
        );
        assert_eq!(outcome.errors[0].code, "20101");
    }
}
