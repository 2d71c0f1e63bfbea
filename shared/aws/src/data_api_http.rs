//! The Data API over HTTPS.
//!
//! Requests and answers are signed with the token's own key. What goes wrong is told without
//! anything that was sent or came back, but for the HTTP status.

use std::fmt;
use std::time::Duration;

use ecommpay::data_api::{ANSWER_LIMITS, Interval, ListedOperation, OperationsGet, operations};
use ecommpay::fields::{FieldError, ProjectId, Text};
use ecommpay::{ProjectKey, json, signature};

use super::https::{Host, TlsError};
use payments::model::timestamp::Timestamp;
use payments::ports::{DataApi, NoAnswer};

/// One answer can take minutes, normally under five.
const ANSWER_WITHIN: Duration = Duration::from_secs(300);

/// What gives access to the Data API: a token, and the key that goes with it.
#[derive(Clone)]
pub struct DataApiAccess {
    /// The token, made in the platform's Dashboard.
    pub token: Text,
    /// Its own key.
    pub key: ProjectKey,
}

impl fmt::Debug for DataApiAccess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DataApiAccess(hidden)")
    }
}

/// The Data API host.
#[derive(Debug, Clone)]
pub struct HttpDataApi {
    host: Host,
    access: DataApiAccess,
}

impl HttpDataApi {
    /// The Data API at `base_url` (no slash at its end), checked by [`crate::config::base_url`].
    pub fn new(base_url: impl Into<String>, access: DataApiAccess) -> Result<Self, TlsError> {
        let host = Host::new(base_url, ANSWER_WITHIN)?;
        Ok(Self { host, access })
    }

    fn request(
        &self,
        project_id: ProjectId,
        (from, to): (Timestamp, Timestamp),
        offset: u32,
    ) -> Option<Vec<u8>> {
        let token = self.access.token.clone();
        let interval = interval(from, to).ok()?;
        let utc = Text::new("UTC").ok()?;
        let request = OperationsGet::new(token, project_id, interval, utc, offset);
        request.sign(&self.access.key).ok()
    }

    fn read(&self, answer: &[u8]) -> Result<Vec<ListedOperation>, NoAnswer> {
        let unsound = |why: &str| NoAnswer(format!("the answer {why}"));
        let message = json::parse(answer, ANSWER_LIMITS)
            .map_err(|error| unsound(&format!("is not sound: {error}")))?;
        let signature = signature::of_message(&message);
        let canonical = signature::canonical(&message);
        let is_signed =
            signature.is_some_and(|signature| self.access.key.verifies(&canonical, &signature));
        if !is_signed {
            return Err(unsound("is not signed with the token's key"));
        }
        operations(&message).ok_or_else(|| unsound("has no list of operations"))
    }
}

/// In whole seconds, the last one too.
fn interval(from: Timestamp, to: Timestamp) -> Result<Interval, FieldError> {
    let second = |moment: Timestamp| {
        let text = moment.to_seconds_with_offset();
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
        let body = body.ok_or_else(|| NoAnswer("the question cannot be put".into()))?;
        let answer = self
            .host
            .post(OperationsGet::PATH, body, ANSWER_LIMITS.bytes);
        match answer.await {
            Ok((200, answer)) => self.read(&answer),
            Ok((status, _)) => Err(NoAnswer(format!("HTTP status {status}"))),
            Err(problem) => Err(NoAnswer(problem)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn data_api() -> HttpDataApi {
        let access = DataApiAccess {
            token: Text::new("canary-token").unwrap(),
            key: ProjectKey::new("canary-key").unwrap(),
        };
        HttpDataApi::new("https://data.example", access).unwrap()
    }

    fn signed(mut answer: Value, key: &str) -> Vec<u8> {
        let text = answer.to_string();
        let message = json::parse(text.as_bytes(), ANSWER_LIMITS).unwrap();
        let key = ProjectKey::new(key).unwrap();
        answer["signature"] = json!(key.sign(&signature::canonical(&message)).to_base64());
        answer.to_string().into_bytes()
    }

    #[test]
    fn an_interval_is_asked_in_utc_and_whole_seconds() {
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
    fn only_an_answer_that_the_tokens_key_signed_is_read() {
        let answer = || json!({ "operations": [] });
        let read = |body: &[u8]| data_api().read(body);
        assert!(read(&signed(answer(), "canary-key")).unwrap().is_empty());
        let odd = json!({ "operations": [{}, { "operation_id": "7" }] });
        assert_eq!(read(&signed(odd, "canary-key")).unwrap().len(), 2);
        for body in [
            signed(answer(), "another-key"),
            answer().to_string().into_bytes(),
            b"<html>".to_vec(),
            signed(json!({ "operations": {} }), "canary-key"),
        ] {
            let error = read(&body).unwrap_err().to_string();
            assert!(!error.contains("canary"), "{error}");
        }
        assert!(!format!("{:?}", data_api()).contains("canary"));
    }
}
