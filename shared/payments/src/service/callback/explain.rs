//! Why a callback does not verify, for an operator who has its body.
//!
//! What is told follows from the body, or a body that was restored in that way verifies; what only
//! seems so is told as that. No key, no signature and no value of the body is told.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ecommpay::fields::ProjectId;
use ecommpay::json::{self, JsonError, Limits, Value};
use ecommpay::{Keyring, Signature, report, signature};
use serde::Serialize;

use super::altered::{MOST_MEMBERS, restored, spoiled, start_of};
use super::verify::{Refusal, names_a_project, verify};
use crate::service::project_keys::ProjectKeys;

/// Why a callback does not verify.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// In one word, for programs.
    pub reason: &'static str,
    /// In a sentence.
    pub detail: String,
    /// What else was found that helps.
    pub hints: Vec<String>,
}

/// Why a body does not verify; `None`: it does.
pub fn explain(body: &[u8], keys: &ProjectKeys) -> Option<Explanation> {
    let refusal = verify(body, keys).err()?;
    Some(match (refusal, json::parse(body, Limits::CALLBACK)) {
        (Refusal::Malformed(error), _) | (_, Err(error)) => of_malformed(body, error, keys),
        (_, Ok(message)) => of_unsigned(&message, keys),
    })
}

fn of_malformed(body: &[u8], error: JsonError, keys: &ProjectKeys) -> Explanation {
    let (reason, detail) = match error {
        JsonError::TooLarge => (
            "too_large",
            format!(
                "the body has {} bytes, and {} are the most that is taken",
                body.len(),
                Limits::CALLBACK.bytes
            ),
        ),
        JsonError::NotJson(at) | JsonError::TrailingData(at) => {
            let (line, column) = place(body, at);
            ("not_json", format!("{error}: line {line}, column {column}"))
        }
        JsonError::DuplicateKey => ("duplicate_key", error.to_string()),
        JsonError::NotUtf8 => ("not_utf8", error.to_string()),
        JsonError::TooDeep | JsonError::TooManyKeys | JsonError::CanonicalTooLarge => {
            ("too_complex", error.to_string())
        }
    };
    let mut hints = Vec::new();
    let is_cut = matches!(error, JsonError::NotJson(at) if at >= body.trim_ascii_end().len());
    if is_cut && !body.trim_ascii().is_empty() {
        hints.push("it ends in the middle: whoever saved it cut it off".to_owned());
    }
    let verifies = |body: &[u8]| verify(body, keys).is_ok();
    let decoded = STANDARD.decode(body.trim_ascii());
    if decoded.is_ok_and(|decoded| verifies(&decoded)) {
        hints.push("it is in base64; decoded, it verifies".to_owned());
    }
    if object_in(body).is_some_and(verifies) {
        hints.push("from its first brace to its last, it verifies: the rest was added".to_owned());
    }
    Explanation {
        reason,
        detail,
        hints,
    }
}

/// The line and column of a byte, both from 1.
fn place(body: &[u8], at: usize) -> (usize, usize) {
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

fn of_unsigned(message: &Value<'_>, keys: &ProjectKeys) -> Explanation {
    let of_general = || message.at(&["general", "signature"]);
    let carried = message.get("signature").or_else(of_general);
    let (reason, detail) = match carried {
        None => (
            "no_signature",
            "the body has no signature, neither at its top nor under general".to_owned(),
        ),
        Some(Value::String(text)) => match Signature::from_base64(text) {
            Some(signature) => return of_mismatch(message, &signature, keys),
            None => of_signature(text),
        },
        Some(_) => ("signature_not_text", "its signature is no text".to_owned()),
    };
    let mut hints = Vec::new();
    let text = carried.and_then(Value::as_str).unwrap_or_default();
    let restored = Signature::from_base64(&text.trim().replace(' ', "+"));
    if restored.is_some_and(|signature| is_ours(message, &signature, keys)) {
        let why =
            "it verifies without the spaces in its signature: a form was read, and + became one";
        hints.push(why.to_owned());
    }
    hints.extend(wrapped(message, keys));
    Explanation {
        reason,
        detail,
        hints,
    }
}

fn of_signature(text: &str) -> (&'static str, String) {
    match STANDARD.decode(text) {
        Ok(bytes) => (
            "signature_length",
            format!("its signature has {} bytes instead of 64", bytes.len()),
        ),
        Err(_) => (
            "signature_not_base64",
            "its signature is not standard base64 with padding".to_owned(),
        ),
    }
}

/// Whether another body stands in this one as text, and verifies.
fn wrapped(message: &Value<'_>, keys: &ProjectKeys) -> Option<String> {
    let verifies = |value: &Value<'_>| {
        let text = value.as_str().unwrap_or_default().as_bytes();
        let decoded = || STANDARD.decode(text).unwrap_or_default();
        verify(text, keys).is_ok() || verify(&decoded(), keys).is_ok()
    };
    if verifies(message) {
        return Some("it is a text in JSON; what stands in that text verifies".to_owned());
    }
    let mut members = message.members().iter().take(MOST_MEMBERS);
    let (name, _) = members.find(|(_, member)| verifies(member))?;
    let name = start_of(name);
    Some(format!(
        "it is not the body: what stands under {name} verifies"
    ))
}

fn is_ours(message: &Value<'_>, signature: &Signature, keys: &ProjectKeys) -> bool {
    let mut keyrings = keys.values();
    keyrings.any(|keyring| signature::verify(message, signature, keyring).is_some())
}

fn of_mismatch(message: &Value<'_>, signature: &Signature, keys: &ProjectKeys) -> Explanation {
    let named = report::project_id(message);
    let named = match named {
        Some(number) => format!("it names project {number}"),
        None if names_a_project(message) => "its project is not a number".to_owned(),
        None => "it names no project".to_owned(),
    };
    let keyring =
        report::project_id(message).and_then(|number| keys.get(&ProjectId::new(number).ok()?));
    let signed_by = |keyring: &Keyring| signature::verify(message, signature, keyring);
    let signer = keys
        .iter()
        .find_map(|(project_id, keyring)| Some((project_id, signed_by(keyring)?)));
    if let Some((project_id, slot)) = signer {
        let which = slot.as_str();
        return Explanation {
            reason: "other_projects_key",
            detail: format!("{named}, and the {which} key of project {project_id} signed it"),
            hints: Vec::new(),
        };
    }
    let (reason, detail) = match keyring {
        None if names_a_project(message) => (
            "no_key",
            format!("{named}, of which there is no key, and no other project's key signed it"),
        ),
        None => (
            "key_mismatch",
            format!("{named}, and no project's key signed it"),
        ),
        Some(keyring) if keyring.has_previous() => (
            "key_mismatch",
            format!("{named}, and neither its current nor its previous key signed it as it is"),
        ),
        Some(_) => (
            "key_mismatch",
            format!(
                "{named}, and its current key did not sign it as it is; there is no previous one"
            ),
        ),
    };
    let mut hints: Vec<String> = restored(message)
        .filter(|(_, restored)| is_ours(restored, signature, keys))
        .map(|(how, _)| how)
        .collect();
    if hints.is_empty() {
        hints.extend(spoiled(message));
        let rest = "either a value was changed, added or left out after it was signed (spaces and the order \
                    of fields do not matter), or another key signed it, such as one that was replaced";
        hints.push(rest.to_owned());
    }
    Explanation {
        reason,
        detail,
        hints,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ecommpay::ProjectKey;
    use serde_json::json;

    use super::*;

    fn keys() -> ProjectKeys {
        let key = |secret: &str| ProjectKey::new(secret).unwrap();
        let both = Keyring::new(key("new-key"), Some(key("old-key")));
        let one = Keyring::new(key("other-key"), None);
        [(211, both), (300, one)]
            .map(|(id, keyring)| (ProjectId::new(id).unwrap(), keyring))
            .into()
    }

    fn signed(mut body: serde_json::Value, secret: &str) -> String {
        let text = body.to_string();
        let message = json::parse(text.as_bytes(), Limits::CALLBACK).unwrap();
        let key = ProjectKey::new(secret).unwrap();
        let signature = key.sign(&signature::canonical(&message));
        body["signature"] = signature.to_base64().into();
        body.to_string()
    }

    fn usual() -> serde_json::Value {
        json!({
            "project_id": 211,
            "payment": { "id": "order-1", "description": "thé & \"brood\"" },
            "customer": { "email": "canary@mail.example" },
        })
    }

    fn reason(body: &str) -> (&'static str, String) {
        let explained = explain(body.as_bytes(), &keys()).unwrap();
        let told = format!("{}; {}", explained.detail, explained.hints.join("; "));
        for secret in ["canary", "new-key", "old-key", "other-key", "brood"] {
            assert!(!told.contains(secret), "{told}");
        }
        (explained.reason, told)
    }

    #[test]
    fn what_verifies_needs_no_explanation() {
        for key in ["new-key", "old-key"] {
            assert_eq!(explain(signed(usual(), key).as_bytes(), &keys()), None);
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        let good = signed(usual(), "new-key");
        let in_base64 = STANDARD.encode(&good);
        let with_more = format!("2026-01-01 got {good} from the platform");
        for (body, expected, told) in [
            ("{\"a\":1,\n \"b\":x}", "not_json", "line 2, column 6"),
            (&good[..good.len() / 2], "not_json", "cut it off"),
            ("{\"a\":1,\"a\":2}", "duplicate_key", "same key twice"),
            ("", "not_json", "line 1, column 1"),
            (&in_base64, "not_json", "decoded, it verifies"),
            (&with_more, "not_json", "the rest was added"),
            (&" ".repeat(300_000), "too_large", "300000 bytes"),
            (&"[".repeat(40), "too_complex", "too deeply"),
        ] {
            let (reason, why) = reason(body);
            assert_eq!(reason, expected, "{body}");
            assert!(why.contains(told), "{why}");
        }
        assert_eq!(explain(&[0xff], &keys()).unwrap().reason, "not_utf8");
    }

    #[test]
    fn a_signature_that_is_none_is_told() {
        let good = signed(usual(), "new-key");
        let parsed: serde_json::Value = serde_json::from_str(&good).unwrap();
        let with = |signature: serde_json::Value| {
            let mut body = parsed.clone();
            body["signature"] = signature;
            body.to_string()
        };
        let text = parsed["signature"].as_str().unwrap();
        for (body, expected, told) in [
            (usual().to_string(), "no_signature", "neither at its top"),
            (with(json!(7)), "signature_not_text", "no text"),
            (with(json!("%%")), "signature_not_base64", "padding"),
            (with(json!("AAAA")), "signature_length", "3 bytes"),
            (
                with(json!(format!(" {text}"))),
                "signature_not_base64",
                "without the spaces",
            ),
            (
                json!({ "level": "INFO", "body": good }).to_string(),
                "no_signature",
                "under body verifies",
            ),
            (json!(good).to_string(), "no_signature", "in that text"),
        ] {
            let (reason, why) = reason(&body);
            assert_eq!(reason, expected, "{body}");
            assert!(why.contains(told), "{why}");
        }
    }

    #[test]
    fn a_key_that_does_not_match_is_told_with_what_was_done_to_the_body() {
        let foreign = signed(usual(), "other-key");
        let (reason_of_foreign, why) = reason(&foreign);
        assert_eq!(reason_of_foreign, "other_projects_key");
        assert!(why.contains("current key of project 300"), "{why}");
        let mut elsewhere = usual();
        elsewhere["project_id"] = json!(999);
        let (unknown, why) = reason(&signed(elsewhere.clone(), "theirs"));
        assert_eq!(unknown, "no_key");
        assert!(
            why.contains("project 999, of which there is no key"),
            "{why}"
        );
        elsewhere["project_id"] = json!(300);
        let (_, why) = reason(&signed(elsewhere, "theirs"));
        assert!(why.contains("there is no previous one"), "{why}");

        let good = signed(usual(), "new-key");
        let change = |change: &dyn Fn(&mut serde_json::Value)| {
            let mut body: serde_json::Value = serde_json::from_str(&good).unwrap();
            change(&mut body);
            body.to_string()
        };
        let latin: String = "thé & \"brood\"".bytes().map(char::from).collect();
        for (body, told) in [
            (
                change(&|body| {
                    body["payment"]["description"] = json!("thé &amp; &quot;brood&quot;")
                }),
                "HTML entities",
            ),
            (
                change(&|body| body["payment"]["description"] = json!(latin)),
                "Latin-1",
            ),
            (
                change(&|body| body["payment"]["description"] = json!("th\\u00e9 & \\\"brood\\\"")),
                "escaped twice",
            ),
            (
                change(&|body| body["received_at"] = json!("2026-01-01")),
                "without received_at",
            ),
            (
                change(&|body| body["customer"]["email"] = json!("[REDACTED]")),
                "under customer.email seems to be hidden",
            ),
            (
                change(&|body| body["payment"]["description"] = json!("th\u{fffd}")),
                "lost under payment.description",
            ),
            (
                change(&|body| body["payment"]["id"] = json!("order-2")),
                "or another key signed it",
            ),
        ] {
            let (mismatch, why) = reason(&body);
            assert_eq!(mismatch, "key_mismatch", "{body}");
            assert!(why.contains(told), "{why}");
        }
    }
}
