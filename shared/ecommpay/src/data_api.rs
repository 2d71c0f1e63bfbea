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
use crate::operation::{OperationType, Outcome};
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
        let moment = |text: String| match is_moment(&text) {
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

/// One operation as the Data API lists it. All ids are text there; a text that is missing is empty.
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
    /// What it does.
    pub kind: OperationType,
    /// `success`, `decline` and others.
    pub status: String,
    /// The amount as requested.
    pub sum_initial: Option<Sum>,
}

impl ListedOperation {
    /// Where it stands.
    pub fn outcome(&self) -> Outcome {
        self.kind.outcome(&self.status)
    }
}

/// The operations of an answer whose signature was verified, one for each element of its list,
/// whatever is in there; `None` if it has no list.
///
/// Source: Data API, specification.
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
    fn operations_are_listed_with_what_they_have() {
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
        let odd =
            r#"{"operations":[{"operation_id":"7"},{},"x",{"payment_id":"p","sum_initial":{}}]}"#;
        let listed = read(odd).unwrap();
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
    fn an_interval_has_two_times() {
        let (good, bad) = ("2030-01-01 00:00:00", "2030-01-01T00:00:00Z");
        assert!(Interval::new(good, good).is_ok());
        assert!(Interval::new(good, bad).is_err() && Interval::new(bad, good).is_err());
    }
}
