//! Whether a callback is true, about what, and what becomes of it.

use std::fmt;

use ecommpay::fields::ProjectId;
use ecommpay::json::{self, JsonError, Limits, Value};
use ecommpay::report::{self, Report};
use ecommpay::{KeySlot, Keyring, signature};

use crate::decide::{Fact, SignedReport};
use crate::model::ids::PaymentKey;
use crate::model::is_storable;
use crate::service::project_keys::ProjectKeys;

/// A body that a key of ours has signed.
#[derive(Clone, PartialEq, Eq)]
pub struct Verified {
    /// What the body says.
    pub report: Report,
    /// The payment it is about; `None` if it names none.
    pub key: Option<PaymentKey>,
    /// The canonical string: bodies with equal ones are duplicates.
    pub canonical: String,
    /// Which of the project's keys matched.
    pub slot: KeySlot,
    /// The body could stand for another one with the same signature, or cannot be kept: a hint, not
    /// a fact.
    pub hint: bool,
}

/// Without what the body says, which has the shopper's data in it.
impl fmt::Debug for Verified {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Verified")
            .field("key", &self.key)
            .field("slot", &self.slot)
            .field("hint", &self.hint)
            .finish_non_exhaustive()
    }
}

impl Verified {
    /// What the body is worth: a fact, or only a reason to ask.
    pub fn fact(&self) -> Fact<'_> {
        if self.hint {
            return Fact::Hint(&self.report);
        }
        Fact::Callback(self.signed_report())
    }

    /// The body as a signed report.
    pub fn signed_report(&self) -> SignedReport<'_> {
        SignedReport {
            report: &self.report,
            canonical: &self.canonical,
        }
    }
}

/// Why a body is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Not sound JSON.
    Malformed(JsonError),
    /// No signature, or not one of ours.
    Unsigned,
    /// Signed by a key of ours, but for a project that is not that key's.
    ForeignProject,
}

/// Reads and verifies a callback.
pub fn verify(body: &[u8], keys: &ProjectKeys) -> Result<Verified, Refusal> {
    let message = json::parse(body, Limits::CALLBACK).map_err(Refusal::Malformed)?;
    let signature = signature::of_message(&message).ok_or(Refusal::Unsigned)?;
    let canonical = signature::canonical(&message);
    let signed_by =
        |keyring: &Keyring| signature::verify_with(&message, &canonical, &signature, keyring);
    let named = report::project_id(&message);
    let ours = named.and_then(|number| {
        let project_id = ProjectId::new(number).ok()?;
        Some((project_id, keys.get(&project_id)?))
    });
    let (project_id, slot) = match ours {
        Some((project_id, keyring)) => match signed_by(keyring) {
            Some(slot) => (Some(project_id), slot),
            None => return Err(unverified(keys, signed_by)),
        },
        None if names_a_project(&message) => return Err(unverified(keys, signed_by)),
        None => (
            None,
            keys.values().find_map(signed_by).ok_or(Refusal::Unsigned)?,
        ),
    };
    let report = Report::read(&message);
    let key = project_id
        .zip(report.payment_id.as_deref())
        .and_then(|(project_id, payment_id)| PaymentKey::of_caller(project_id, payment_id));
    Ok(Verified {
        hint: signature::may_be_reframed(&message)
            || !report::has_sound_shape(&message)
            || names_itself_twice(&message)
            || !is_storable(&report),
        canonical: String::from_utf8(canonical)
            .unwrap_or_else(|odd| String::from_utf8_lossy(odd.as_bytes()).into_owned()),
        report,
        key,
        slot,
    })
}

pub(super) fn names_a_project(message: &Value<'_>) -> bool {
    message.get("project_id").is_some() || message.at(&["general", "project_id"]).is_some()
}

/// Other projects' keys are tried only to tell a foreign body from a forged one.
fn unverified(keys: &ProjectKeys, signed_by: impl Fn(&Keyring) -> Option<KeySlot>) -> Refusal {
    match keys.values().find_map(signed_by) {
        Some(_) => Refusal::ForeignProject,
        None => Refusal::Unsigned,
    }
}

/// Whether a body names its payment or its project in two places and differently.
fn names_itself_twice(message: &Value<'_>) -> bool {
    let text = |path: &[&str]| {
        message
            .at(path)
            .and_then(Value::as_text)
            .map(str::to_ascii_lowercase)
    };
    let differ =
        |one: Option<String>, other: Option<String>| one.zip(other).is_some_and(|(a, b)| a != b);
    differ(text(&["project_id"]), text(&["general", "project_id"]))
        || differ(text(&["payment", "id"]), text(&["general", "payment_id"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecommpay::ProjectKey;

    fn keys() -> ProjectKeys {
        let ring = |secret: &str| Keyring::new(ProjectKey::new(secret).unwrap(), None);
        [(211, "ours"), (300, "also-ours")]
            .map(|(id, secret)| (ProjectId::new(id).unwrap(), ring(secret)))
            .into()
    }

    fn signed(body: &str, secret: &str) -> Vec<u8> {
        let message = json::parse(body.as_bytes(), Limits::CALLBACK).unwrap();
        let key = ProjectKey::new(secret).unwrap();
        let signature = key.sign(&signature::canonical(&message)).to_base64();
        let mut value: serde_json::Value = serde_json::from_str(body).unwrap();
        value["signature"] = signature.into();
        value.to_string().into_bytes()
    }

    #[test]
    fn only_the_named_projects_key_makes_a_fact() {
        let body = r#"{"project_id":211,"payment":{"id":"Order-1","status":"success"}}"#;
        let verified = verify(&signed(body, "ours"), &keys()).unwrap();
        assert_eq!(verified.key.unwrap().to_string(), "211/order-1");
        assert!(!verified.hint);
        assert_eq!(
            verify(&signed(body, "also-ours"), &keys()),
            Err(Refusal::ForeignProject)
        );
        assert_eq!(
            verify(&signed(body, "theirs"), &keys()),
            Err(Refusal::Unsigned)
        );
        assert_eq!(verify(body.as_bytes(), &keys()), Err(Refusal::Unsigned));

        let foreign = body.replace("211", "999");
        assert_eq!(
            verify(&signed(&foreign, "ours"), &keys()),
            Err(Refusal::ForeignProject)
        );
        assert_eq!(
            verify(&signed(&foreign, "theirs"), &keys()),
            Err(Refusal::Unsigned)
        );

        let nameless = r#"{"payment":{"id":"Order-1"}}"#;
        assert_eq!(
            verify(&signed(nameless, "ours"), &keys()).unwrap().key,
            None
        );
    }

    #[test]
    fn a_body_that_could_be_reframed_is_only_a_hint() {
        for body in [
            r#"{"project_id":211,"payment":{"id":"o","description":"x;payment:status:success"}}"#,
            r#"{"project_id":211,"payment":{"id":"o"},"general":{"payment_id":"p"}}"#,
            r#"{"project_id":211,"payment":{"id":"o"},"general":{"project_id":212}}"#,
            r#"{"project_id":211,"payment":{"id":"o","date":{"2030-01-01T00":"00+0000"}}}"#,
            r#"{"project_id":211,"payment":{"id":"o"},"operation":{"id":7.0,"type":"sale","status":"success"}}"#,
        ] {
            assert!(
                verify(&signed(body, "ours"), &keys()).unwrap().hint,
                "{body}"
            );
        }
        let plain = r#"{"project_id":211,"payment":{"id":"o","description":"a:b;c"}}"#;
        assert!(!verify(&signed(plain, "ours"), &keys()).unwrap().hint);
    }
}
