//! Verifies callbacks: finds the key that signed the body, and the payment that the body names. Also decides whether
//! the body is only a hint (`shared/decisions/protocol/0013-reframed-messages.md`).

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
    /// The payment that the body names; `None` without a valid payment id or a verified project.
    pub key: Option<PaymentKey>,
    /// The canonical string of the body. Bodies with the same canonical string are duplicates.
    pub canonical: String,
    /// The slot of the signing key: current or previous.
    pub slot: KeySlot,
    /// Whether the body is only a hint, because it can be read in two ways or is too large to store.
    pub hint: bool,
    /// `false` if a project key signed another text, such as the parameters of a Payment Page link. Such a body names
    /// no payment.
    pub is_callback: bool,
}

/// Hides the report, which has personal data.
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
    /// The body has no signature, or none of the keys that were tried made the signature.
    Unsigned,
    /// One of our keys signed the body, but the key belongs to another project than the body names.
    ForeignProject,
}

/// The keys of other projects are tried only on a body up to this size, in bytes.
const MAX_BYTES_FOR_OTHER_PROJECTS: usize = 4 * 1024;
/// The keys of other projects are tried only if the canonical string is at most this long, in percent of the body.
/// The callbacks of the test data reach at most 143 percent.
const MAX_GROWTH_FOR_OTHER_PROJECTS: usize = 150;
/// The maximum number of other projects whose keys are tried, the lowest ids first.
const MAX_OTHER_PROJECTS: usize = 8;

/// Verifies a callback. If the body names a project, only a key of this project can verify it. Otherwise a key of any
/// project can verify it, and the result has no payment.
///
/// A body that is not a callback is never refused as [`Refusal::ForeignProject`]. A shopper can post the parameters
/// of a Payment Page link with an unreadable project, so the signature of such a body proves nothing about projects.
///
/// The keys of other projects are tried only within limits, because each forged body would otherwise cost much time.
pub fn verify(body: &[u8], keys: &ProjectKeys) -> Result<Verified, Refusal> {
    let message = json::parse(body, Limits::CALLBACK).map_err(Refusal::Malformed)?;
    let signature = signature::of_message(&message).ok_or(Refusal::Unsigned)?;
    let forms = SignedForms::of(&message);
    let named = report::project_id(&message);
    let named_id = named.and_then(|number| ProjectId::new(number).ok());
    let signed_by_another = || {
        let growth = body.len().saturating_mul(MAX_GROWTH_FOR_OTHER_PROJECTS) / 100;
        let is_small =
            body.len() <= MAX_BYTES_FOR_OTHER_PROJECTS && forms.as_written().len() <= growth;
        let others = keys.iter().filter(|(id, _)| Some(**id) != named_id);
        let keyrings = others.map(|(_, keyring)| keyring).take(MAX_OTHER_PROJECTS);
        keyrings
            .filter(|_| is_small)
            .find_map(|keyring| keyring.verify(forms.as_written(), &signature))
    };
    let is_callback = report::is_callback(forms.as_written());
    let unverified = |other: Option<KeySlot>| match other {
        Some(slot) if !is_callback => Ok((None, slot)),
        Some(_) => Err(Refusal::ForeignProject),
        None => Err(Refusal::Unsigned),
    };
    let ours = named_id.and_then(|project_id| Some((project_id, keys.get(&project_id)?)));
    let (project_id, slot) = match ours {
        Some((project_id, keyring)) => match forms.verify(&signature, keyring) {
            Some(slot) => (Some(project_id), slot),
            None => unverified(signed_by_another())?,
        },
        None if names_a_project(&message) => unverified(signed_by_another())?,
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
        is_callback,
    })
}

/// Whether a body has a project id, valid or not. The signature does not cover an empty list or object, so these do
/// not count.
pub(super) fn names_a_project(message: &Value<'_>) -> bool {
    let places: [&[&str]; 2] = [&["project_id"], &["general", "project_id"]];
    let mut found = places.iter().filter_map(|path| message.at(path));
    found.any(|value| match value {
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    })
}

/// Whether a body names two different payment ids, or two different projects. Each id can have two locations.
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

    /// Only the choice between the answers 401 and 403 needs the keys of other projects. This choice must not cost much
    /// more time than one verification.
    #[test]
    fn the_keys_of_other_projects_are_tried_only_on_small_bodies() {
        let key = |secret: &str| ProjectKey::new(secret).unwrap();
        let with_text = |bytes: usize| {
            let body = |text: &str| {
                let body = format!(
                    r#"{{"project_id":211,"payment":{{"id":"o","description":"{text}"}}}}"#
                );
                signed(&body, "also-ours")
            };
            let body = body(&"x".repeat(bytes - body("").len()));
            assert_eq!(body.len(), bytes);
            verify(&body, &keys())
        };
        assert_eq!(with_text(4_096), Err(Refusal::ForeignProject));
        assert_eq!(with_text(4_097), Err(Refusal::Unsigned));
        // The canonical string repeats the name of a member in each line below the member. So a long name makes the
        // string of a small body long. The signature does not cover the value of `frame_mode`.
        let long = "k".repeat(500);
        let string = ["a", "b", "c", "d", "e"]
            .map(|name| format!("payment:{long}:{name}:1;"))
            .concat()
            + "project_id:211";
        let with_string = |bytes: usize, secret: &str| {
            let signature = key(secret).sign(string.as_bytes()).to_base64();
            let body = |padding: &str| {
                format!(
                    r#"{{"project_id":211,"payment":{{"{long}":{{"a":1,"b":1,"c":1,"d":1,"e":1}}}},"frame_mode":"{padding}","signature":"{signature}"}}"#
                )
            };
            let body = body(&"x".repeat(bytes - body("").len()));
            verify(body.as_bytes(), &keys())
        };
        let bytes = (string.len() * 2).div_ceil(3);
        assert_eq!(
            with_string(bytes, "also-ours"),
            Err(Refusal::ForeignProject)
        );
        assert_eq!(with_string(bytes - 1, "also-ours"), Err(Refusal::Unsigned));
        assert!(with_string(bytes - 1, "ours").is_ok());
        // Only the keys of the named project are tried on the second canonical string, which has the numbers as PHP
        // prints them.
        let php = |project: u32, secret: &str| {
            let text = format!("fee:1.5;project_id:{project}");
            let signature = key(secret).sign(text.as_bytes()).to_base64();
            format!(r#"{{"project_id":{project},"fee":1.50,"signature":"{signature}"}}"#)
        };
        assert!(verify(php(211, "ours").as_bytes(), &keys()).is_ok());
        assert_eq!(
            verify(php(211, "also-ours").as_bytes(), &keys()),
            Err(Refusal::Unsigned)
        );
    }

    #[test]
    fn the_keys_of_the_8_other_projects_with_the_lowest_ids_are_tried() {
        let ring = |id: u32| Keyring::new(ProjectKey::new(&format!("key {id}")).unwrap(), None);
        let keys: ProjectKeys = (1..=10)
            .map(|id| (ProjectId::new(id.into()).unwrap(), ring(id)))
            .collect();
        let body = r#"{"project_id":1,"payment":{"id":"o"}}"#;
        let signed_by = |secret: &str| verify(&signed(body, secret), &keys);
        assert!(signed_by("key 1").is_ok());
        assert_eq!(signed_by("key 9"), Err(Refusal::ForeignProject));
        assert_eq!(signed_by("key 10"), Err(Refusal::Unsigned));
    }

    #[test]
    fn a_body_without_a_project_has_no_payment() {
        for body in [
            r#"{"payment":{"id":"Order-1"}}"#,
            r#"{"payment":{"id":"Order-1"},"project_id":[]}"#,
            r#"{"payment":{"id":"Order-1"},"general":{"project_id":{}}}"#,
        ] {
            let verified = verify(&signed(body, "ours"), &keys()).unwrap();
            assert_eq!(verified.key, None);
        }
    }

    /// Each body has the signature of a Payment Page link. A shopper can change the JSON without a change of the
    /// signed text.
    #[test]
    fn the_parameters_of_a_payment_page_link_are_no_callback() {
        let link = "customer_id:c-1;payment_amount:1000;payment_currency:EUR;payment_id:order-1;project_id:211;\
                    redirect_success_url:https://shop.example/thanks";
        let key = ProjectKey::new("ours").unwrap();
        let signature = key.sign(link.as_bytes()).to_base64();
        for parameters in [
            r#""customer_id":"c-1","payment_amount":1000,"payment_currency":"EUR","payment_id":"order-1","project_id":211,"redirect_success_url":"https://shop.example/thanks""#,
            // A part of a callback without a signed value proves nothing.
            r#""customer_id":"c-1","payment_amount":1000,"payment_currency":"EUR","payment_id":"order-1","project_id":211,"redirect_success_url":"https://shop.example/thanks","payment":{"frame_mode":{"id":"order-1"}},"operation":{}"#,
            // The project is unreadable, part of another value, or missing.
            r#""customer_id":"c-1","payment_amount":1000,"payment_currency":"EUR","payment_id":"order-1","project_id":"211;redirect_success_url:https://shop.example/thanks""#,
            r#""customer_id":"c-1","payment_amount":1000,"payment_currency":"EUR","payment_id":"order-1;project_id:211","redirect_success_url":{"https":"//shop.example/thanks"}"#,
            r#""customer_id":"c-1;payment_amount:1000;payment_currency:EUR;payment_id:order-1;project_id:211;redirect_success_url:https://shop.example/thanks","general":{"project_id":[]}"#,
        ] {
            let body = format!(r#"{{{parameters},"signature":"{signature}"}}"#);
            let verified = verify(body.as_bytes(), &keys()).unwrap();
            assert!(!verified.is_callback, "{body}");
            assert_eq!(verified.key, None, "{body}");
        }
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
