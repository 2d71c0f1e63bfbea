//! Verifies callbacks. Finds the key that signed the body, and the payment that the body names. Decides whether the
//! body is a fact or only a hint (`shared/decisions/protocol/0013-reframed-messages.md`).

use std::fmt;

use ecommpay::KeySlot;
use ecommpay::fields::ProjectId;
use ecommpay::json::{self, JsonError, Limits, Value};
use ecommpay::report::{self, Report};
use ecommpay::signature::{self, SignedForms};

use crate::decide::{Fact, SignedReport};
use crate::model::ids::PaymentKey;
use crate::model::is_storable;
use crate::service::project_keys::ProjectKeys;

/// A body with a valid signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Verified {
    /// The report in the body.
    pub report: Report,
    /// The payment that the body names; `None` if the body lacks a valid payment id or a project.
    pub key: Option<PaymentKey>,
    /// The canonical string of the body. Bodies with the same canonical string are duplicates.
    pub canonical: String,
    /// The slot of the key that made the signature: current or previous.
    pub slot: KeySlot,
    /// Whether the body is only a hint: the body can be read in two ways, or its report is too large to store.
    pub hint: bool,
}

/// The output hides the report, because a report has personal data of the shopper.
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
    /// Returns the body as a report or as a hint.
    pub fn fact(&self) -> Fact<'_> {
        match self.hint {
            true => Fact::Hint(&self.report),
            false => Fact::Callback(self.signed_report()),
        }
    }

    /// Returns the body as a signed report.
    pub fn signed_report(&self) -> SignedReport<'_> {
        SignedReport {
            report: &self.report,
            canonical: &self.canonical,
        }
    }
}

/// Why a callback is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The body is not valid JSON, or exceeds a limit.
    Malformed(JsonError),
    /// The body has no signature, or none of our keys that were tried made the signature.
    Unsigned,
    /// One of our keys made the signature, but the body names a project to which this key does not belong.
    ForeignProject,
}

/// The keys of other projects are not tried on a body with more bytes than this.
const MAX_BYTES_FOR_OTHER_PROJECTS: usize = 4 * 1024;
/// The keys of other projects are not tried if the canonical string is longer than the body by more than this factor.
/// In messages of the platform, the factor is at most 1.4.
const MAX_GROWTH_FOR_OTHER_PROJECTS: usize = 2;
/// The keys of at most this many other projects are tried: those of the projects with the lowest ids.
const MAX_OTHER_PROJECTS: usize = 16;

/// Verifies a callback. If the body names a project, only a key of this project can verify the body. If the body names
/// no project, a key of any project can verify the body, and the result has no payment.
///
/// Three limits bound the time that a forged body costs. The keys of other projects are tried only on a small body.
/// They are tried only with the numbers as they are written. Only the keys of 16 projects are tried.
pub fn verify(body: &[u8], keys: &ProjectKeys) -> Result<Verified, Refusal> {
    let message = json::parse(body, Limits::CALLBACK).map_err(Refusal::Malformed)?;
    let signature = signature::of_message(&message).ok_or(Refusal::Unsigned)?;
    let forms = SignedForms::of(&message);
    let named = report::project_id(&message);
    let named_id = named.and_then(|number| ProjectId::new(number).ok());
    let signed_by_another = || {
        let growth = MAX_GROWTH_FOR_OTHER_PROJECTS.saturating_mul(body.len());
        let is_small =
            body.len() <= MAX_BYTES_FOR_OTHER_PROJECTS && forms.as_written().len() <= growth;
        let others = keys.iter().filter(|(id, _)| Some(**id) != named_id);
        let keyrings = others.map(|(_, keyring)| keyring).take(MAX_OTHER_PROJECTS);
        keyrings
            .filter(|_| is_small)
            .find_map(|keyring| keyring.verify(forms.as_written(), &signature))
    };
    let ours = named_id.and_then(|project_id| Some((project_id, keys.get(&project_id)?)));
    let (project_id, slot) = match ours {
        Some((project_id, keyring)) => match forms.verify(&signature, keyring) {
            Some(slot) => (Some(project_id), slot),
            None => return Err(unverified(signed_by_another())),
        },
        None if names_a_project(&message) => return Err(unverified(signed_by_another())),
        None => (None, signed_by_another().ok_or(Refusal::Unsigned)?),
    };
    let report = Report::read(&message);
    let key = project_id
        .zip(report.payment_id.as_deref())
        .and_then(|(project_id, payment_id)| PaymentKey::parse(project_id, payment_id));
    Ok(Verified {
        hint: signature::may_be_reframed(&message)
            || !report::has_sound_shape(&message)
            || has_contradicting_ids(&message)
            || !is_storable(&report),
        canonical: String::from_utf8(forms.into_as_written())
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        report,
        key,
        slot,
    })
}

/// Whether a body has a project id, valid or not.
pub(super) fn names_a_project(message: &Value<'_>) -> bool {
    message.get("project_id").is_some() || message.at(&["general", "project_id"]).is_some()
}

/// Returns the refusal of a body that no key of the named project signed. If a key of another project (`other`) signed
/// the body, the refusal is [`Refusal::ForeignProject`].
fn unverified(other: Option<KeySlot>) -> Refusal {
    match other {
        Some(_) => Refusal::ForeignProject,
        None => Refusal::Unsigned,
    }
}

/// Whether a body has two different payment ids or two different project ids. Each id can be in two places.
fn has_contradicting_ids(message: &Value<'_>) -> bool {
    let text = |path: &[&str]| {
        message
            .at(path)
            .and_then(Value::as_text)
            .map(str::to_ascii_lowercase)
    };
    let differ = |left: Option<String>, right: Option<String>| {
        left.zip(right).is_some_and(|(left, right)| left != right)
    };
    differ(text(&["project_id"]), text(&["general", "project_id"]))
        || differ(text(&["payment", "id"]), text(&["general", "payment_id"]))
}

#[cfg(test)]
mod tests {
    use ecommpay::{Keyring, ProjectKey};

    use super::*;

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
    fn a_body_is_verified_only_by_a_key_of_the_project_that_it_names() {
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
    }

    /// Only the choice between the answers 401 and 403 needs the keys of other projects. This choice must not cost more
    /// than a small multiple of one verification.
    #[test]
    fn the_keys_of_other_projects_are_tried_only_on_small_bodies() {
        let with_text = |length: usize| {
            let text = "x".repeat(length);
            let body =
                format!(r#"{{"project_id":211,"payment":{{"id":"o","description":"{text}"}}}}"#);
            verify(&signed(&body, "also-ours"), &keys())
        };
        assert_eq!(with_text(3_900), Err(Refusal::ForeignProject));
        assert_eq!(with_text(4_200), Err(Refusal::Unsigned));
        // The name of a member is repeated in each line of the canonical string below this member. So a long name makes
        // the canonical string of a small body large.
        let key = "k".repeat(500);
        let body = format!(r#"{{"project_id":211,"{key}":{{"a":1,"b":2,"c":3,"d":4,"e":5}}}}"#);
        assert_eq!(
            verify(&signed(&body, "also-ours"), &keys()),
            Err(Refusal::Unsigned)
        );
        assert!(verify(&signed(&body, "ours"), &keys()).is_ok());
        // A second canonical string, with the numbers as PHP prints them, is made only for the keys of the project.
        let php = |project: u32, secret: &str| {
            let key = ProjectKey::new(secret).unwrap();
            let text = format!("fee:1.5;project_id:{project}");
            let signature = key.sign(text.as_bytes()).to_base64();
            format!(r#"{{"project_id":{project},"fee":1.50,"signature":"{signature}"}}"#)
        };
        assert!(verify(php(211, "ours").as_bytes(), &keys()).is_ok());
        assert_eq!(
            verify(php(211, "also-ours").as_bytes(), &keys()),
            Err(Refusal::Unsigned)
        );
    }

    #[test]
    fn a_body_without_a_project_has_no_payment() {
        let body = r#"{"payment":{"id":"Order-1"}}"#;
        let verified = verify(&signed(body, "ours"), &keys()).unwrap();
        assert_eq!(verified.key, None);
    }

    #[test]
    fn a_body_that_can_be_read_in_two_ways_is_a_hint() {
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
