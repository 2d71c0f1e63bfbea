//! Verifies the signature that a message carries.
//!
//! Source ([list](crate::sources)): Signature.

use std::cell::OnceCell;

use super::digest::Signature;
use super::keyring::{KeySlot, Keyring};
use super::lines::Lines;
use crate::json::Value;

/// Returns the signature that a message carries: at the top level, or in `general` if the signature at the top level is
/// missing or not a text. The official SDKs use the same order.
///
/// Returns `None` if there is no signature, or if the signature is not the base64 of 64 bytes.
pub fn of_message(message: &Value<'_>) -> Option<Signature> {
    let in_general = || message.at(&["general", "signature"])?.as_str();
    let top = message.get("signature").and_then(Value::as_str);
    Signature::from_base64(top.or_else(in_general)?)
}

/// Verifies a signature of a message against the keys of one project. Returns the slot of the key that matched.
///
/// Tries the canonical string with the numbers as they are written. If PHP prints a number differently, also tries
/// [`canonical_as_php`](super::canonical_as_php()).
pub fn verify(message: &Value<'_>, signature: &Signature, keyring: &Keyring) -> Option<KeySlot> {
    SignedForms::of(message).verify(signature, keyring)
}

/// The canonical strings that a signature of a message can cover: the string with the numbers as they are written, and
/// the string with the numbers as PHP prints them. The second string is built only when it is needed, and only once.
#[derive(Debug)]
pub struct SignedForms {
    lines: Lines,
    as_php: OnceCell<Option<Vec<u8>>>,
}

impl SignedForms {
    /// Builds the canonical string with the numbers as they are written.
    pub fn of(message: &Value<'_>) -> Self {
        Self {
            lines: Lines::of(message),
            as_php: OnceCell::new(),
        }
    }

    /// Returns the [`canonical`](super::canonical()) string of the message.
    pub fn as_written(&self) -> &[u8] {
        self.lines.as_bytes()
    }

    /// Verifies a signature of the message as [`verify`] does.
    pub fn verify(&self, signature: &Signature, keyring: &Keyring) -> Option<KeySlot> {
        keyring.verify(self.as_written(), signature).or_else(|| {
            let as_php = self.as_php.get_or_init(|| self.lines.as_php());
            keyring.verify(as_php.as_ref()?, signature)
        })
    }

    /// Consumes the forms and returns the [`canonical`](super::canonical()) string of the message.
    pub fn into_as_written(self) -> Vec<u8> {
        self.lines.into_string()
    }
}

#[cfg(test)]
mod tests {
    use super::super::keyring::ProjectKey;
    use super::super::reframing::may_be_reframed;
    use super::*;
    use crate::json::{Limits, parse};

    fn read(text: &str) -> Value<'_> {
        parse(text.as_bytes(), Limits::CALLBACK).unwrap()
    }

    #[test]
    fn a_number_in_another_spelling_verifies_but_marks_the_message_as_reframed() {
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
    fn the_signature_is_read_from_the_top_level_or_else_from_general() {
        let good = ProjectKey::new("k").unwrap().sign(b"a:1");
        let text = good.to_base64();
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
        // An unusable signature at the top level hides the signature in `general`.
        let hidden = format!(r#"{{"signature":"","general":{{"signature":"{text}"}}}}"#);
        assert_eq!(of_message(&read(&hidden)), None);
    }
}
