//! Defines the requests and answers of the Data API, which lists the platform records for the reconciliation.
//!
//! Access requires a token that is created in the platform's Dashboard. Requests and answers are signed with *the key
//! of this token*, not with a project key.
//!
//! Source ([list](crate::sources)): Data API.

use std::fmt;

use serde::Serialize;

use crate::fields::date::is_time;
use crate::fields::{FieldError, ProjectId, Text};
use crate::json::{Limits, Value};
use crate::operation::{OperationType, Outcome};
use crate::report::Sum;
use crate::signature::keyring::ProjectKey;
use crate::signature::{self, SignError};

/// The limits of an answer. The reader refuses a larger answer.
///
/// Source: an assumption about the size of an answer with 1,000 operations.
pub const ANSWER_LIMITS: Limits = Limits {
    bytes: 16 * 1024 * 1024,
    depth: 32,
    keys: 200_000,
    canonical: 64 * 1024 * 1024,
};

/// The maximum number of operations in one answer.
pub const PAGE: u32 = 1_000;

/// `POST /v1/operations/get`: requests one page of the operations that were completed in an interval. `Debug`
/// hides the token.
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

/// An interval of completion times, in the time zone of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interval {
    from: Text,
    to: Text,
}

impl Interval {
    /// Checks both times, each as `YYYY-MM-DD hh:mm:ss`.
    pub fn new(from: impl Into<String>, to: impl Into<String>) -> Result<Self, FieldError> {
        let time = |text: String| match is_time(&text) {
            true => Text::new(text),
            false => Err(FieldError::Form("a time as YYYY-MM-DD hh:mm:ss")),
        };
        Ok(Self {
            from: time(from.into())?,
            to: time(to.into())?,
        })
    }
}

impl OperationsGet {
    /// The path below the Data API host.
    pub const PATH: &'static str = "/v1/operations/get";

    /// Creates a request for up to [`PAGE`] operations of a project. The first `offset` operations are skipped. `tz` is
    /// the time zone of the interval: an IANA name or an offset such as `+10:30`.
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

    /// Returns the signed body; `key` is the key of the token.
    pub fn sign(self, key: &ProjectKey) -> Result<Vec<u8>, SignError> {
        signature::signed_request(self, key, |request, signature| {
            request.signature = Some(signature);
        })
    }
}

/// One operation in an answer of the Data API. A missing text is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedOperation {
    /// The project.
    pub project_id: Option<u64>,
    /// The same as `operation.id` in callbacks.
    pub operation_id: String,
    /// The merchant's payment id.
    pub payment_id: String,
    /// The type of the operation.
    pub kind: OperationType,
    /// The status: `success`, `decline` and others.
    pub status: String,
    /// The requested amount.
    pub sum_initial: Option<Sum>,
}

impl ListedOperation {
    /// Returns the outcome that follows from the type and the status.
    pub fn outcome(&self) -> Outcome {
        self.kind.outcome(&self.status)
    }
}

/// Reads the operations of an answer. The caller must verify the signature of the answer first. Each element of the
/// list becomes one operation, even a malformed element. Returns `None` if the answer has no list of operations.
pub fn operations(answer: &Value<'_>) -> Option<Vec<ListedOperation>> {
    let list = answer.get("operations")?;
    let Value::Array(elements) = list else {
        return None;
    };
    Some(elements.iter().map(listed).collect())
}

fn listed(value: &Value<'_>) -> ListedOperation {
    let text = |name| value.text_at(name).unwrap_or_default();
    ListedOperation {
        project_id: value.get("project_id").and_then(Value::as_u64),
        operation_id: text("operation_id"),
        payment_id: text("payment_id"),
        kind: OperationType::from(text("operation_type")),
        status: text("operation_status"),
        sum_initial: value.get("sum_initial").and_then(Sum::read),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn a_request_is_signed_with_the_key_of_the_token_and_debug_hides_the_token() {
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
    fn each_element_of_the_list_becomes_one_operation_even_if_malformed() {
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
        let malformed =
            r#"{"operations":[{"operation_id":"7"},{},"x",{"payment_id":"p","sum_initial":{}}]}"#;
        let listed = read(malformed).unwrap();
        let ids: Vec<_> = listed
            .iter()
            .map(|one| (one.operation_id.as_str(), one.payment_id.as_str()))
            .collect();
        assert_eq!(ids, [("7", ""), ("", ""), ("", ""), ("", "p")]);
        assert!(listed.iter().all(|one| one.status.is_empty()));
        assert_eq!(read("{}"), None);
        assert_eq!(read(r#"{"operations":{}}"#), None);
    }

    #[test]
    fn an_interval_is_refused_if_one_of_its_times_is_malformed() {
        let (good, bad) = ("2030-01-01 00:00:00", "2030-01-01T00:00:00Z");
        assert!(Interval::new(good, good).is_ok());
        assert!(Interval::new(good, bad).is_err() && Interval::new(bad, good).is_err());
    }
}
