//! Explains a body without a readable signature.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ecommpay::Signature;
use ecommpay::json::Value;

use super::altered::{MAX_MEMBERS, start_of};
use super::explanation::Explanation;
use super::mismatch::{self, is_signed_by_any};
use crate::service::callback::verify::verify;
use crate::service::project_keys::ProjectKeys;

pub(super) fn explain(message: &Value<'_>, keys: &ProjectKeys) -> Explanation {
    let in_general = || message.at(&["general", "signature"]);
    let member = message.get("signature").or_else(in_general);
    let (reason, detail) = match member {
        None => (
            "no_signature",
            "the body has no signature, neither at the top level nor under general".to_owned(),
        ),
        Some(Value::String(text)) => match Signature::from_base64(text) {
            Some(signature) => return mismatch::explain(message, &signature, keys),
            None => unreadable(text),
        },
        Some(_) => (
            "signature_not_text",
            "the signature is not a string".to_owned(),
        ),
    };
    let mut observations = Vec::new();
    let text = member.and_then(Value::as_str).unwrap_or_default();
    let restored = Signature::from_base64(&text.trim().replace(' ', "+"));
    if restored.is_some_and(|signature| is_signed_by_any(message, &signature, keys)) {
        let observation = "the body verifies if spaces around the signature are removed and spaces inside the \
                           signature are read as plus signs; the body was probably decoded as a form";
        observations.push(observation.to_owned());
    }
    observations.extend(observe_inner_body(message, keys));
    Explanation {
        reason,
        detail,
        observations,
    }
}

fn unreadable(signature: &str) -> (&'static str, String) {
    match STANDARD.decode(signature) {
        Ok(bytes) => (
            "signature_length",
            format!("the signature has {} bytes instead of 64", bytes.len()),
        ),
        Err(_) => (
            "signature_not_base64",
            "the signature is not standard base64 with padding".to_owned(),
        ),
    }
}

/// Returns an observation if the body, or a member of it, is a string with a valid callback. The string can be
/// base64.
fn observe_inner_body(message: &Value<'_>, keys: &ProjectKeys) -> Option<String> {
    let verifies = |value: &Value<'_>| {
        let text = value.as_str().unwrap_or_default().as_bytes();
        let decoded = || STANDARD.decode(text).unwrap_or_default();
        verify(text, keys).is_ok() || verify(&decoded(), keys).is_ok()
    };
    if verifies(message) {
        return Some("the body is a JSON string; the content of the string verifies".to_owned());
    }
    let mut members = message.members().iter().take(MAX_MEMBERS);
    let (name, _) = members.find(|(_, member)| verifies(member))?;
    let name = start_of(name);
    Some(format!(
        "this is not the body of a callback; the text under {name} is the body of a callback and verifies"
    ))
}
