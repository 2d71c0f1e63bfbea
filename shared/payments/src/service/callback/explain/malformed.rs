//! Explains a body that is not valid JSON, or that exceeds a limit.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ecommpay::json::{JsonError, Limits};

use super::explanation::Explanation;
use crate::service::callback::verify::verify;
use crate::service::project_keys::ProjectKeys;

pub(super) fn explain(body: &[u8], error: JsonError, keys: &ProjectKeys) -> Explanation {
    let (reason, detail) = match error {
        JsonError::TooLarge => (
            "too_large",
            format!(
                "the body has {} bytes; the maximum is {}",
                body.len(),
                Limits::CALLBACK.bytes
            ),
        ),
        JsonError::NotJson(at) | JsonError::TrailingData(at) => {
            let (line, column) = position(body, at);
            ("not_json", format!("{error}: line {line}, column {column}"))
        }
        JsonError::DuplicateKey => ("duplicate_key", error.to_string()),
        JsonError::NotUtf8 => ("not_utf8", error.to_string()),
        JsonError::TooDeep | JsonError::TooManyKeys | JsonError::CanonicalTooLarge => {
            ("too_complex", error.to_string())
        }
    };
    let mut observations = Vec::new();
    let is_cut = matches!(error, JsonError::NotJson(at) if at >= body.trim_ascii_end().len());
    if is_cut && !body.trim_ascii().is_empty() {
        observations
            .push("the body ends too early; it was probably cut off when it was saved".to_owned());
    }
    let verifies = |body: &[u8]| verify(body, keys).is_ok();
    let decoded = STANDARD.decode(body.trim_ascii());
    if decoded.is_ok_and(|decoded| verifies(&decoded)) {
        observations.push("the body is base64; the decoded body verifies".to_owned());
    }
    if object_in(body).is_some_and(verifies) {
        let observation =
            "the part from the first brace to the last brace verifies; the rest was added";
        observations.push(observation.to_owned());
    }
    Explanation {
        reason,
        detail,
        observations,
    }
}

/// Returns the line and the column of a byte, both counted from 1.
fn position(body: &[u8], at: usize) -> (usize, usize) {
    let before = body.get(..at).unwrap_or(body);
    let lines = before.split(|byte| *byte == b'\n');
    let last = lines.clone().next_back().unwrap_or_default();
    (lines.count(), last.len() + 1)
}

fn object_in(body: &[u8]) -> Option<&[u8]> {
    let first = body.iter().position(|byte| *byte == b'{')?;
    let last = body.iter().rposition(|byte| *byte == b'}')?;
    body.get(first..=last)
}
