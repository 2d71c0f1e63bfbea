//! Tests the explanations of refused callbacks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ecommpay::fields::ProjectId;
use ecommpay::json::{self, Limits};
use ecommpay::{Keyring, ProjectKey, signature};
use serde_json::json;

use super::explain;
use crate::service::project_keys::ProjectKeys;

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

fn sample() -> serde_json::Value {
    json!({
        "project_id": 211,
        "payment": { "id": "order-1", "description": "thé & \"brood\"" },
        "customer": { "email": "canary@mail.example" },
    })
}

fn reason(body: &str) -> (&'static str, String) {
    let explained = explain(body.as_bytes(), &keys()).unwrap();
    let text = format!(
        "{}; {}",
        explained.detail,
        explained.observations.join("; ")
    );
    for secret in ["canary", "new-key", "old-key", "other-key", "brood"] {
        assert!(!text.contains(secret), "{text}");
    }
    (explained.reason, text)
}

#[test]
fn a_callback_that_verifies_has_no_explanation() {
    for key in ["new-key", "old-key"] {
        assert_eq!(explain(signed(sample(), key).as_bytes(), &keys()), None);
    }
}

#[test]
fn an_unreadable_body_is_explained_with_the_location_of_the_error() {
    let good = signed(sample(), "new-key");
    let in_base64 = STANDARD.encode(&good);
    let with_more = format!("2026-01-01 got {good} from the platform");
    for (body, expected, phrase) in [
        ("{\"a\":1,\n \"b\":x}", "not_json", "line 2, column 6"),
        (&good[..good.len() / 2], "not_json", "cut off"),
        ("{\"a\":1,\"a\":2}", "duplicate_key", "same key twice"),
        ("", "not_json", "line 1, column 1"),
        (&in_base64, "not_json", "the decoded body verifies"),
        (&with_more, "not_json", "the rest was added"),
        (&" ".repeat(300_000), "too_large", "300000 bytes"),
        (&"[".repeat(40), "too_complex", "too deeply"),
    ] {
        let (reason, text) = reason(body);
        assert_eq!(reason, expected, "{body}");
        assert!(text.contains(phrase), "{text}");
    }
    assert_eq!(explain(&[0xff], &keys()).unwrap().reason, "not_utf8");
}

#[test]
fn a_missing_or_unreadable_signature_is_explained() {
    let good = signed(sample(), "new-key");
    let parsed: serde_json::Value = serde_json::from_str(&good).unwrap();
    let with = |signature: serde_json::Value| {
        let mut body = parsed.clone();
        body["signature"] = signature;
        body.to_string()
    };
    let text = parsed["signature"].as_str().unwrap();
    for (body, expected, phrase) in [
        (
            sample().to_string(),
            "no_signature",
            "neither at the top level",
        ),
        (with(json!(7)), "signature_not_text", "not a string"),
        (with(json!("%%")), "signature_not_base64", "padding"),
        (with(json!("AAAA")), "signature_length", "3 bytes"),
        (
            with(json!(format!(" {text}"))),
            "signature_not_base64",
            "spaces around the signature",
        ),
        (
            json!({ "level": "INFO", "body": good }).to_string(),
            "no_signature",
            "under body is the body of a callback and verifies",
        ),
        (
            json!(good).to_string(),
            "no_signature",
            "content of the string verifies",
        ),
    ] {
        let (reason, text) = reason(&body);
        assert_eq!(reason, expected, "{body}");
        assert!(text.contains(phrase), "{text}");
    }
}

#[test]
fn a_signature_of_another_project_is_explained() {
    let (reason, text) = reason(&signed(sample(), "other-key"));
    assert_eq!(reason, "other_projects_key");
    assert!(text.contains("current key of project 300"), "{text}");
}

#[test]
fn a_signature_of_an_unknown_key_is_explained_with_the_keys_of_the_project() {
    for (project_id, expected, phrase) in [
        (999, "no_key", "project 999; there is no key for it"),
        (300, "key_mismatch", "it has no previous key"),
        (
            211,
            "key_mismatch",
            "neither its current nor its previous key",
        ),
    ] {
        let mut body = sample();
        body["project_id"] = json!(project_id);
        let (reason, text) = reason(&signed(body, "theirs"));
        assert_eq!(reason, expected, "{text}");
        assert!(text.contains(phrase), "{text}");
    }
}

#[test]
fn an_altered_body_is_explained_with_the_alteration() {
    let good = signed(sample(), "new-key");
    let change = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut body: serde_json::Value = serde_json::from_str(&good).unwrap();
        change(&mut body);
        body.to_string()
    };
    let latin: String = "thé & \"brood\"".bytes().map(char::from).collect();
    for (body, phrase) in [
        (
            change(&|body| body["payment"]["description"] = json!("thé &amp; &quot;brood&quot;")),
            "HTML entities",
        ),
        (
            change(&|body| body["payment"]["description"] = json!(latin)),
            "Latin-1",
        ),
        (
            change(&|body| body["payment"]["description"] = json!("th\\u00e9 & \\\"brood\\\"")),
            "escaped them twice",
        ),
        (
            change(&|body| body["received_at"] = json!("2026-01-01")),
            "without received_at",
        ),
        (
            change(&|body| body["customer"]["email"] = json!("[REDACTED]")),
            "under customer.email seems to be masked",
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
        let (reason, text) = reason(&body);
        assert_eq!(reason, "key_mismatch", "{body}");
        assert!(text.contains(phrase), "{text}");
    }
}
