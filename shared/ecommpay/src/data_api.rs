//! The Data API: the platform's own books, to compare ours with.
//!
//! Access is by a token made in the platform's Dashboard; requests and answers are signed with the
//! *token's own key*, not a project's. One answer has up to 1,000 operations, so its limits are not
//! those of a callback, and its list is where the natural order of paths matters.

use std::fmt;

use serde::Serialize;

use crate::calendar::is_moment;
use crate::fields::{FieldError, ProjectId, Text};
use crate::json::{Limits, Value};
use crate::keyring::ProjectKey;
use crate::report::Sum;
use crate::signature::{self, SignError};

/// How large an answer of 1,000 operations may be.
///
/// Source: an assumption, from the largest page.
pub const ANSWER_LIMITS: Limits = Limits {
    bytes: 16 * 1024 * 1024,
    depth: 32,
    keys: 200_000,
    canonical: 64 * 1024 * 1024,
};

/// The most operations in one answer.
///
/// Source: Data API, specification.
pub const PAGE: u32 = 1_000;

/// `POST /v1/operations/get`: one page of the operations that were completed in an interval.
///
/// Source: Data API, specification.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct OperationsGet {
    token: Text,
    project_id: Vec<ProjectId>,
    interval: Interval,
    tz: Text,
    limit: u32,
    offset: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

impl fmt::Debug for OperationsGet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OperationsGet")
            .field("project_id", &self.project_id)
            .field("interval", &self.interval)
            .field("tz", &self.tz)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

/// An interval of completion times.
///
/// Source: Data API, specification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interval {
    from: Text,
    to: Text,
}

impl Interval {
    /// From one time to another, each as `YYYY-MM-DD hh:mm:ss`.
    pub fn new(from: impl Into<String>, to: impl Into<String>) -> Result<Self, FieldError> {
        let moment = |text: String| match is_moment(&text, ' ') {
            true => Text::new(text),
            false => Err(FieldError::Form("a time as YYYY-MM-DD hh:mm:ss")),
        };
        Ok(Self {
            from: moment(from.into())?,
            to: moment(to.into())?,
        })
    }
}

impl OperationsGet {
    /// The path below the Data API host.
    pub const PATH: &'static str = "/v1/operations/get";

    /// Asks for a project's operations, from the `offset`-th on. Times are in the zone `tz`, an
    /// IANA name or an offset such as `+10:30`.
    pub fn new(
        token: Text,
        project_id: ProjectId,
        interval: Interval,
        tz: Text,
        offset: u32,
    ) -> Self {
        Self {
            token,
            project_id: vec![project_id],
            interval,
            tz,
            limit: PAGE,
            offset,
            signature: None,
        }
    }

    /// The signed body; the key is the token's own.
    pub fn sign(self, key: &ProjectKey) -> Result<Vec<u8>, SignError> {
        signature::signed(self, key, |request, signature| {
            request.signature = Some(signature);
        })
    }
}

/// One operation as the Data API lists it. All ids are text there.
///
/// Source: Data API, specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedOperation {
    /// Its project.
    pub project_id: Option<u64>,
    /// `operation.id` of the callbacks.
    pub operation_id: String,
    /// Its payment.
    pub payment_id: String,
    /// `sale`, `refund` and others.
    pub kind: String,
    /// `success`, `decline` and others.
    pub status: String,
    /// The amount as requested.
    pub sum_initial: Option<Sum>,
}

/// The operations of an answer whose signature was verified; `None` if it has no list of them.
///
/// Source: Data API, specification.
pub fn operations(answer: &Value<'_>) -> Option<Vec<ListedOperation>> {
    let list = answer.get("operations")?;
    let Value::Array(elements) = list else {
        return None;
    };
    elements.iter().map(listed).collect()
}

fn listed(value: &Value<'_>) -> Option<ListedOperation> {
    Some(ListedOperation {
        project_id: value.get("project_id").and_then(Value::as_u64),
        operation_id: value.text_at("operation_id")?,
        payment_id: value.text_at("payment_id")?,
        kind: value.text_at("operation_type")?,
        status: value.text_at("operation_status")?,
        sum_initial: value.get("sum_initial").and_then(Sum::read),
    })
}

/// Why the Data API gave no list: HTTP 400, 401, 429 or 500, unsigned.
///
/// Source: Data API, specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of error, such as `Bad Request`.
    pub name: String,
    /// The platform's own words.
    pub message: Option<String>,
    /// Its own number, not one of the unified list.
    pub code: Option<String>,
    /// The HTTP status once more.
    pub status: Option<u64>,
}

impl Failure {
    /// Reads `{"name":..,"message":..,"code":..,"status":..}`; `None` if it has no name.
    pub fn read(answer: &Value<'_>) -> Option<Self> {
        Some(Self {
            name: answer.text_at("name")?,
            message: answer.text_at("message"),
            code: answer.text_at("code"),
            status: answer.get("status").and_then(Value::as_u64),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn a_request_is_signed_with_the_tokens_key_and_hides_the_token() {
        let text = |text: &str| Text::new(text).unwrap();
        let interval = Interval::new("2030-01-01 00:00:00", "2030-01-02 00:00:00").unwrap();
        let project = ProjectId::new(211).unwrap();
        let request =
            OperationsGet::new(text("canary-token"), project, interval, text("UTC"), 1000);
        assert!(!format!("{request:?}").contains("canary"));
        let key = ProjectKey::new("token-key").unwrap();
        let body = request.sign(&key).unwrap();
        let message = parse(&body, Limits::CALLBACK).unwrap();
        let signature = signature::of_message(&message).unwrap();
        assert!(key.verifies(&signature::canonical(&message), &signature));
        assert_eq!(message.get("offset").and_then(Value::as_u64), Some(1000));
    }

    #[test]
    fn operations_are_listed_whole_or_not_at_all() {
        let read = |text: &str| operations(&parse(text.as_bytes(), ANSWER_LIMITS).unwrap());
        let one = r#"{"operations":[{"project_id":211,"operation_id":"7","payment_id":"p","operation_type":"sale",
            "operation_status":"success","sum_initial":{"amount":1000,"currency":"EUR"}}],"signature":"x"}"#;
        let listed = read(one).unwrap();
        assert_eq!(listed[0].operation_id, "7");
        assert_eq!(
            listed[0].sum_initial.as_ref().map(|sum| sum.amount),
            Some(1000)
        );
        assert_eq!(read(r#"{"operations":[]}"#), Some(vec![]));
        assert_eq!(read(r#"{"operations":[{"operation_id":"7"}]}"#), None);
        assert_eq!(read("{}"), None);
    }

    #[test]
    fn an_interval_has_two_times() {
        let (good, bad) = ("2030-01-01 00:00:00", "2030-01-01T00:00:00Z");
        assert!(Interval::new(good, good).is_ok());
        assert!(Interval::new(good, bad).is_err() && Interval::new(bad, good).is_err());
    }

    #[test]
    fn a_failure_says_why_there_is_no_list() {
        let read = |text: &str| Failure::read(&parse(text.as_bytes(), ANSWER_LIMITS).unwrap());
        let text = r#"{"name":"Bad Request","message":"no token","code":0,"status":400}"#;
        let failure = read(text).unwrap();
        assert_eq!(failure.name, "Bad Request");
        assert_eq!(failure.message.as_deref(), Some("no token"));
        assert_eq!(failure.code.as_deref(), Some("0"));
        assert_eq!(failure.status, Some(400));
        assert_eq!(read(r#"{"operations":[]}"#), None);
    }
}
