//! Explains a body whose signature does not match: another key signed it, or a tool altered it.

use ecommpay::fields::ProjectId;
use ecommpay::json::Value;
use ecommpay::{Keyring, Signature, report, signature};

use super::altered::{observe_damage, restored};
use super::explanation::Explanation;
use crate::service::callback::verify::names_a_project;
use crate::service::project_keys::ProjectKeys;

pub(super) fn is_signed_by_any(
    message: &Value<'_>,
    signature: &Signature,
    keys: &ProjectKeys,
) -> bool {
    let mut keyrings = keys.values();
    keyrings.any(|keyring| signature::verify(message, signature, keyring).is_some())
}

pub(super) fn explain(
    message: &Value<'_>,
    signature: &Signature,
    keys: &ProjectKeys,
) -> Explanation {
    let number = report::project_id(message);
    let named = match number {
        Some(number) => format!("the body names project {number}"),
        None if names_a_project(message) => "the project id is not a number".to_owned(),
        None => "the body names no project".to_owned(),
    };
    let signed_by = |keyring: &Keyring| signature::verify(message, signature, keyring);
    let signer = keys
        .iter()
        .find_map(|(project_id, keyring)| Some((project_id, signed_by(keyring)?)));
    if let Some((project_id, slot)) = signer {
        let slot = slot.as_str();
        return Explanation {
            reason: "other_projects_key",
            detail: format!("{named}, but the {slot} key of project {project_id} signed it"),
            observations: Vec::new(),
        };
    }
    let keyring = number.and_then(|number| keys.get(&ProjectId::new(number).ok()?));
    let (reason, detail) = match keyring {
        None if names_a_project(message) => (
            "no_key",
            format!("{named}; there is no key for it, and no key of another project signed it"),
        ),
        None => (
            "key_mismatch",
            format!("{named}, and no key of any project signed it"),
        ),
        Some(keyring) if keyring.has_previous() => (
            "key_mismatch",
            format!("{named}; neither its current nor its previous key signed this body"),
        ),
        Some(_) => (
            "key_mismatch",
            format!("{named}; its current key did not sign this body, and it has no previous key"),
        ),
    };
    let mut observations: Vec<String> = restored(message)
        .filter(|(_, restored)| is_signed_by_any(restored, signature, keys))
        .map(|(observation, _)| observation)
        .collect();
    if observations.is_empty() {
        observations.extend(observe_damage(message));
        let cause = "either a value was changed, added or removed after the body was signed, or another key signed it, \
                     for example a key that was replaced; spaces and the order of fields do not matter";
        observations.push(cause.to_owned());
    }
    Explanation {
        reason,
        detail,
        observations,
    }
}
