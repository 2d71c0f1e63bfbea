//! The canonical string of a message and its HMAC-SHA-512 signature.
//!
//! Every scalar gives one line `path:value`; the lines are sorted in natural order of their paths
//! and joined with `;`. Empty arrays and objects give no line; `null` and the empty string give a
//! line without a value; booleans are `1` and `0`; a colon inside a key is doubled. The keys
//! `signature` and `frame_mode` take no part, at any depth.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::json::{self, JsonError, Limits, Value};
use crate::keyring::{KeySlot, Keyring, ProjectKey};
use crate::lines::{self, is_signed};
use crate::php_number;

/// A signature: the 64 bytes of an HMAC-SHA-512.
///
/// Source: Signature.
#[derive(Debug, Clone, Copy)]
pub struct Signature([u8; 64]);

/// In constant time.
impl PartialEq for Signature {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Signature {}

impl Signature {
    /// From the bytes of the digest.
    pub fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// From standard base64 with padding; anything else is no signature.
    pub fn from_base64(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The bytes of the digest.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Standard base64 with padding, 88 characters.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }
}

/// The signature that a message carries: at the top level, else in `general`.
///
/// `None` if there is none, or one that is not the base64 of 64 bytes.
///
/// Source: Signature; the official SDKs for the order of the two places.
pub fn of_message(message: &Value<'_>) -> Option<Signature> {
    let carried = match message.get("signature") {
        Some(top) => top,
        None => message.at(&["general", "signature"])?,
    };
    Signature::from_base64(carried.as_str()?)
}

/// The canonical string of a message, with every number as it is written. Of a key that an object has
/// twice, which the reader refuses, the order is not defined.
///
/// Source: Signature.
pub fn canonical(message: &Value<'_>) -> Vec<u8> {
    lines::joined(message, as_written)
}

/// The canonical string with fractions and exponents as PHP prints them; `None` if the message
/// has none that PHP spells differently, so that it has one canonical string only.
///
/// Not documented; of the official SDKs, PHP's is the reference. Used to verify, never to sign. It is
/// another number's string too (`10.0` has that of `10`), so [`may_be_reframed`] says yes to each of
/// these messages.
///
/// Source: an assumption.
pub fn canonical_as_php(message: &Value<'_>) -> Option<Vec<u8>> {
    any_number(message, php_number::is_respelled).then(|| lines::joined(message, as_php))
}

fn as_written(token: &str) -> Cow<'_, str> {
    Cow::Borrowed(token)
}

fn as_php(token: &str) -> Cow<'_, str> {
    php_number::spelling(token).map_or(Cow::Borrowed(token), Cow::Owned)
}

fn any_number(value: &Value<'_>, is_such: fn(&str) -> bool) -> bool {
    match value {
        Value::Number(token) => is_such(token),
        Value::Array(elements) => elements.iter().any(|element| any_number(element, is_such)),
        Value::Object(members) => members
            .iter()
            .any(|(_, member)| any_number(member, is_such)),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

/// Verifies the signature that a message carries against the keys of one project, over the numbers
/// as written and, if there are fractions, as PHP prints them. Gives the key that matched.
///
/// Source: Signature.
pub fn verify(message: &Value<'_>, signature: &Signature, keyring: &Keyring) -> Option<KeySlot> {
    verify_with(message, &canonical(message), signature, keyring)
}

/// [`verify`] for who has the message's [`canonical`] string already, or tries several keyrings.
///
/// Source: Signature.
pub fn verify_with(
    message: &Value<'_>,
    canonical: &[u8],
    signature: &Signature,
    keyring: &Keyring,
) -> Option<KeySlot> {
    keyring.verify(canonical, signature).or_else(|| {
        let canonical = canonical_as_php(message)?;
        keyring.verify(&canonical, signature)
    })
}

/// A message of ours could not be turned into JSON and back.
#[derive(Debug, Error)]
pub enum SignError {
    /// The message did not serialise.
    #[error("the message does not serialise: {0}")]
    Serialise(#[from] serde_json::Error),
    /// What was serialised is not within the reader's limits.
    #[error(transparent)]
    Read(#[from] JsonError),
    /// A number with an exponent, or a fraction such as `10.0` that PHP prints in another way.
    #[error("a number has an exponent or a fraction whose signed spelling nobody defines")]
    AmbiguousNumber,
}

/// The canonical string of a message of ours, read back from the very text that will be sent.
pub fn canonical_of<M: serde::Serialize>(message: &M) -> Result<Vec<u8>, SignError> {
    let text = serde_json::to_vec(message)?;
    canonical_to_sign(&json::parse(&text, Limits::CALLBACK)?)
}

/// Signs a message of ours: `put` sets the signature where the platform looks for it.
pub(crate) fn signed<M: serde::Serialize>(
    mut message: M,
    key: &ProjectKey,
    put: impl FnOnce(&mut M, String),
) -> Result<Vec<u8>, SignError> {
    let signature = key.sign(&canonical_of(&message)?);
    put(&mut message, signature.to_base64());
    Ok(serde_json::to_vec(&message)?)
}

/// The canonical string of a message that is about to be signed: integers, and fractions that PHP
/// prints as they are written.
pub fn canonical_to_sign(message: &Value<'_>) -> Result<Vec<u8>, SignError> {
    let is_ambiguous = |token: &str| token.contains(['e', 'E']) || php_number::is_respelled(token);
    if any_number(message, is_ambiguous) {
        return Err(SignError::AmbiguousNumber);
    }
    Ok(canonical(message))
}

/// Whether a body can have been made from another one with the same signature.
///
/// Lines are joined with `;` and values are not escaped, so a value that holds `;` and later `:`
/// may hide lines of another message. Keys can do the same: an empty one leaves no trace in the
/// path, a colon at an end of one merges with its neighbour's, a `;` ends a line. And a number that
/// PHP spells in another way has the string of that other number: `37493000003351.0` verifies with
/// the signature of `37493000003351` and reads as another id. Such a body is a hint, not a fact.
///
/// A colon in a value can move into the path without a trace here;
/// [`has_sound_shape`](crate::report::has_sound_shape) sees that where it matters.
///
/// Source: Payment Page, parameters, which forbids `;`.
pub fn may_be_reframed(value: &Value<'_>) -> bool {
    match value {
        Value::String(text) => text
            .split_once(';')
            .is_some_and(|(_, after)| after.contains(':')),
        Value::Array(elements) => elements.iter().any(may_be_reframed),
        Value::Object(members) => members.iter().any(|(key, member)| {
            let odd_key =
                key.is_empty() || key.starts_with(':') || key.ends_with(':') || key.contains(';');
            odd_key || is_signed(key) && may_be_reframed(member)
        }),
        Value::Number(token) => php_number::is_respelled(token),
        Value::Null | Value::Bool(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Value<'_> {
        json::parse(text.as_bytes(), Limits::CALLBACK).unwrap()
    }

    #[test]
    fn a_separator_with_a_path_behind_it_may_hide_a_line() {
        for text in [
            r#"{"a":"x;b:y"}"#,
            r#"{"a":["x;;b c:"]}"#,
            r#"{"a":{"b":{"c":"x; y:z"}}}"#,
            r#"{"a":"1;general:signature:x","signature":"s"}"#,
            r#"{"":{"payment":1}}"#,
            r#"{"a":{":b":1}}"#,
            r#"{"a:":{"b":1}}"#,
            r#"{"a:1;b":2}"#,
            r#"{"operation":{"id":37493000003351.0}}"#,
            r#"{"a":[1e3]}"#,
        ] {
            assert!(may_be_reframed(&read(text)), "{text}");
        }
        for text in [
            r#"{"a":"x:y;z","b":";","c":":"}"#,
            r#"{"a":[1,true,null,"x"],"b:c":"d"}"#,
            r#"{"signature":"x;y:z"}"#,
            r#"{"a":{"frame_mode":"x;y:z","signature":{"":10.0}}}"#,
            r#"{"a":-1.5,"b":12345678901234567890}"#,
        ] {
            assert!(!may_be_reframed(&read(text)), "{text}");
        }
    }

    #[test]
    fn a_number_in_another_spelling_verifies_but_is_no_fact() {
        let key = ProjectKey::new("k").unwrap();
        let signature = key.sign(b"operation:id:37493000003351");
        let keyring = Keyring::new(key, None);
        let verified = |id: &str| {
            let text = format!(r#"{{"operation":{{"id":{id}}}}}"#);
            let message = read(&text);
            let slot = verify(&message, &signature, &keyring);
            slot.map(|slot| (slot, may_be_reframed(&message)))
        };
        assert_eq!(verified("37493000003351"), Some((KeySlot::Current, false)));
        for replayed in ["37493000003351.0", "3749300000335.1e1"] {
            assert_eq!(verified(replayed), Some((KeySlot::Current, true)));
        }
        assert_eq!(verified("37493000003352.0"), None);
    }

    #[test]
    fn what_php_spells_in_another_way_is_not_signed() {
        let sign = |text: &str| canonical_to_sign(&read(text)).ok();
        for (text, canonical) in [
            (r#"{"a":0.5,"b":[-3.75]}"#, "a:0.5;b:0:-3.75"),
            (
                r#"{"a":-0,"b":12345678901234567890}"#,
                "a:-0;b:12345678901234567890",
            ),
        ] {
            assert_eq!(sign(text).as_deref(), Some(canonical.as_bytes()), "{text}");
        }
        for text in [
            "10.0",
            "1.50",
            "1e3",
            "1.0E-7",
            "1.0E+25",
            "0.12345678901234567",
        ] {
            assert_eq!(sign(text), None, "{text}");
            assert_eq!(
                sign(&format!(r#"{{"a":[{{"b":{text}}}]}}"#)),
                None,
                "{text}"
            );
        }
    }

    #[test]
    fn signatures_are_equal_byte_by_byte() {
        let one = Signature::from_bytes([7; 64]);
        assert_eq!(one, Signature::from_bytes([7; 64]));
        for at in 0..64 {
            let mut bytes = [7; 64];
            bytes[at] = 8;
            assert_ne!(one, Signature::from_bytes(bytes));
        }
    }

    #[test]
    fn only_the_base64_of_a_digest_is_a_signature() {
        let good = Signature::from_bytes([7; 64]);
        assert_eq!(Signature::from_base64(&good.to_base64()), Some(good));
        let text = good.to_base64();
        for bad in [
            "",
            "x",
            &text[..84],
            &format!("{text}="),
            &text.replace("==", ""),
            &text.replace('B', "-"),
        ] {
            assert_eq!(Signature::from_base64(bad), None, "{bad}");
        }
        let top = format!(r#"{{"signature":"{text}","general":{{"signature":"x"}}}}"#);
        assert_eq!(of_message(&read(&top)), Some(good));
        let general = format!(r#"{{"general":{{"signature":"{text}"}}}}"#);
        assert_eq!(of_message(&read(&general)), Some(good));
        for none in [
            "{}",
            r#"{"signature":null}"#,
            r#"{"signature":7}"#,
            r#"{"payment":{"signature":"x"}}"#,
        ] {
            assert_eq!(of_message(&read(none)), None, "{none}");
        }
        // The top level counts even if it holds nothing of use.
        let hidden = format!(r#"{{"signature":"","general":{{"signature":"{text}"}}}}"#);
        assert_eq!(of_message(&read(&hidden)), None);
    }
}
