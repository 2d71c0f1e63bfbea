//! Implements the port of the Data API over HTTPS.
//!
//! Requests and answers are signed with the key of the token. An error never contains a secret, or a value from the
//! body of a request or an answer.

use std::fmt;
use std::time::Duration;

use ecommpay::data_api::{ANSWER_LIMITS, Interval, ListedOperation, OperationsGet, operations};
use ecommpay::fields::{FieldError, ProjectId, Text};
use ecommpay::json::JsonError;
use ecommpay::{ProjectKey, json, signature};
use payments::model::timestamp::Timestamp;
use payments::ports::{DataApi, NoAnswer};

use crate::https::{Host, TlsError};

/// The time limit of a call. The platform can need several minutes for an answer, normally less than five.
const TIMEOUT: Duration = Duration::from_secs(300);

/// The credentials of the Data API, created in the platform's Dashboard.
#[derive(Clone)]
pub struct DataApiCredentials {
    /// The token.
    pub token: Text,
    /// The key of the token.
    pub key: ProjectKey,
}

impl fmt::Debug for DataApiCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DataApiCredentials(hidden)")
    }
}

/// A client of the Data API.
#[derive(Debug, Clone)]
pub struct HttpDataApi {
    host: Host,
    credentials: DataApiCredentials,
}

impl HttpDataApi {
    /// Creates a client. `base_url` must have passed the check of [`crate::config::base_url`].
    pub fn new(
        base_url: impl Into<String>,
        credentials: DataApiCredentials,
    ) -> Result<Self, TlsError> {
        let host = Host::new(base_url, TIMEOUT)?;
        Ok(Self { host, credentials })
    }

    fn request(
        &self,
        project_id: ProjectId,
        (from, to): (Timestamp, Timestamp),
        offset: u32,
    ) -> Option<Vec<u8>> {
        let token = self.credentials.token.clone();
        let interval = interval(from, to).ok()?;
        let utc = Text::new("UTC").ok()?;
        let request = OperationsGet::new(token, project_id, interval, utc, offset);
        request.sign(&self.credentials.key).ok()
    }

    fn read(&self, answer: &[u8]) -> Result<Vec<ListedOperation>, NoAnswer> {
        let invalid = |why: &str| NoAnswer::Failed(format!("the answer {why}"));
        let message = json::parse(answer, ANSWER_LIMITS).map_err(|error| match error {
            JsonError::TooLarge | JsonError::TooManyKeys | JsonError::CanonicalTooLarge => {
                NoAnswer::TooLarge
            }
            error => invalid(&format!("cannot be read: {error}")),
        })?;
        let signature = signature::of_message(&message);
        let canonical = signature::canonical(&message);
        let key = &self.credentials.key;
        if !signature.is_some_and(|signature| key.verifies(&canonical, &signature)) {
            return Err(invalid("is not signed with the key of the token"));
        }
        operations(&message).ok_or_else(|| invalid("has no list of operations"))
    }
}

/// Creates an interval of whole seconds. Rounds `from` down and `to` up, so that no operation is left out.
fn interval(from: Timestamp, to: Timestamp) -> Result<Interval, FieldError> {
    let second = |at: Timestamp| {
        let text = at.to_seconds_with_offset();
        text.trim_end_matches("+00:00").replace('T', " ")
    };
    Interval::new(second(from), second(to.after(Duration::from_millis(999))))
}

impl DataApi for HttpDataApi {
    async fn operations(
        &self,
        project_id: ProjectId,
        from: Timestamp,
        to: Timestamp,
        offset: u32,
    ) -> Result<Vec<ListedOperation>, NoAnswer> {
        let body = self.request(project_id, (from, to), offset);
        let body = body.ok_or_else(|| NoAnswer::Failed("the request cannot be created".into()))?;
        let answer = self
            .host
            .post(OperationsGet::PATH, body, ANSWER_LIMITS.bytes);
        match answer.await {
            Ok((200, answer)) => self.read(&answer),
            Ok((status, _)) => Err(NoAnswer::Failed(format!("HTTP status {status}"))),
            Err(problem) => Err(problem.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn data_api() -> HttpDataApi {
        let credentials = DataApiCredentials {
            token: Text::new("canary-token").unwrap(),
            key: ProjectKey::new("canary-key").unwrap(),
        };
        HttpDataApi::new("https://data.example", credentials).unwrap()
    }

    fn signed(mut answer: Value, key: &str) -> Vec<u8> {
        let text = answer.to_string();
        let message = json::parse(text.as_bytes(), ANSWER_LIMITS).unwrap();
        let key = ProjectKey::new(key).unwrap();
        answer["signature"] = json!(key.sign(&signature::canonical(&message)).to_base64());
        answer.to_string().into_bytes()
    }

    #[test]
    fn a_request_has_an_interval_of_whole_seconds_in_utc() {
        let at = |text| Timestamp::of_platform(text).unwrap();
        let from = at("2026-11-21T23:00:00+0000");
        let to = at("2026-11-22T01:00:00+0100").after(Duration::from_millis(1));
        let project_id = ProjectId::new(211).unwrap();
        let body = data_api().request(project_id, (from, to), 1000).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let expected = json!({ "from": "2026-11-21 23:00:00", "to": "2026-11-22 00:00:01" });
        assert_eq!(body["interval"], expected);
        assert_eq!((&body["tz"], &body["limit"]), (&json!("UTC"), &json!(1000)));
        assert_eq!(body["project_id"], json!([211]));
        assert_eq!(body["offset"], 1000);
    }

    #[test]
    fn an_answer_is_read_if_it_is_signed_with_the_key_of_the_token() {
        let read = |answer| data_api().read(&signed(answer, "canary-key"));
        assert!(read(json!({ "operations": [] })).unwrap().is_empty());
        let incomplete = json!({ "operations": [{}, { "operation_id": "7" }] });
        assert_eq!(read(incomplete).unwrap().len(), 2);
    }

    #[test]
    fn an_invalid_answer_is_refused_without_a_secret_in_the_error() {
        let answer = || json!({ "operations": [] });
        for body in [
            signed(answer(), "another-key"),
            answer().to_string().into_bytes(),
            b"<html>".to_vec(),
            signed(json!({ "operations": {} }), "canary-key"),
        ] {
            let error = data_api().read(&body).unwrap_err().to_string();
            assert!(!error.contains("canary"), "{error}");
        }
        assert!(!format!("{:?}", data_api()).contains("canary"));
    }
}
