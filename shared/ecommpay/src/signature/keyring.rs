//! Holds the secret keys of a project: the current key and, during a rotation, the previous key.
//!
//! Source ([list](crate::sources)): Signature.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;
use thiserror::Error;

use super::digest::Signature;

/// A project's secret key, prepared for HMAC-SHA-512. `Debug` hides the key.
#[derive(Clone)]
pub struct ProjectKey(Hmac<Sha512>);

/// The secret is empty. HMAC would accept an empty key, but anyone could sign with an empty key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a project key is empty")]
pub struct EmptyKey;

impl ProjectKey {
    /// Creates a key from the secret as the platform shows it. The key consists of the UTF-8 bytes of this text.
    pub fn new(secret: &str) -> Result<Self, EmptyKey> {
        if secret.is_empty() {
            return Err(EmptyKey);
        }
        Hmac::new_from_slice(secret.as_bytes())
            .map(Self)
            .map_err(|_| EmptyKey)
    }

    /// Returns the signature of a canonical string.
    pub fn sign(&self, canonical: &[u8]) -> Signature {
        let mut mac = self.0.clone();
        mac.update(canonical);
        Signature::from_bytes(mac.finalize().into_bytes().into())
    }

    /// Returns whether two keys make the same signatures. Compares in constant time.
    pub fn is_same_as(&self, other: &ProjectKey) -> bool {
        other.verifies(&[], &self.sign(&[]))
    }

    /// Returns whether `signature` is this key's signature of the canonical string. Compares in constant time.
    pub fn verifies(&self, canonical: &[u8], signature: &Signature) -> bool {
        let mut mac = self.0.clone();
        mac.update(canonical);
        mac.verify_slice(signature.as_bytes()).is_ok()
    }
}

impl fmt::Debug for ProjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ProjectKey(hidden)")
    }
}

/// Which key of a project verified a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySlot {
    /// The key that signs requests.
    Current,
    /// The previous key. During a rotation, its signatures are accepted until the platform uses only the current key.
    Previous,
}

impl KeySlot {
    /// Returns the name of the slot in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            KeySlot::Current => "current",
            KeySlot::Previous => "previous",
        }
    }
}

/// The keys of one project.
#[derive(Debug, Clone)]
pub struct Keyring {
    current: ProjectKey,
    previous: Option<ProjectKey>,
}

impl Keyring {
    /// Creates a keyring from the current key and, during a rotation, the previous key.
    pub fn new(current: ProjectKey, previous: Option<ProjectKey>) -> Self {
        Self { current, previous }
    }

    /// Returns the key that signs requests.
    pub fn current(&self) -> &ProjectKey {
        &self.current
    }

    /// Returns whether a rotation is in progress.
    pub fn has_previous(&self) -> bool {
        self.previous.is_some()
    }

    /// Returns the slot of the key that made `signature` over the canonical string. Returns `None` if neither key made
    /// the signature.
    pub fn verify(&self, canonical: &[u8], signature: &Signature) -> Option<KeySlot> {
        if self.current.verifies(canonical, signature) {
            return Some(KeySlot::Current);
        }
        let previous = self.previous.as_ref()?;
        previous
            .verifies(canonical, signature)
            .then_some(KeySlot::Previous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_of_either_key_verifies_and_its_slot_is_returned() {
        let old = ProjectKey::new("old").unwrap();
        let new = ProjectKey::new("new").unwrap();
        let ring = Keyring::new(new.clone(), Some(old.clone()));
        assert_eq!(
            ring.verify(b"a:1", &new.sign(b"a:1")),
            Some(KeySlot::Current)
        );
        assert_eq!(
            ring.verify(b"a:1", &old.sign(b"a:1")),
            Some(KeySlot::Previous)
        );
        assert_eq!(ring.verify(b"a:1", &new.sign(b"a:2")), None);
        assert_eq!(
            Keyring::new(new, None).verify(b"a:1", &old.sign(b"a:1")),
            None
        );
    }

    #[test]
    fn a_key_is_hidden_in_debug_and_an_empty_secret_is_refused() {
        let key = ProjectKey::new("a-secret").unwrap();
        assert_eq!(format!("{key:?}"), "ProjectKey(hidden)");
        assert!(!format!("{:?}", Keyring::new(key, None)).contains("a-secret"));
        assert_eq!(ProjectKey::new("").unwrap_err(), EmptyKey);
        assert_eq!(
            [KeySlot::Current, KeySlot::Previous].map(KeySlot::as_str),
            ["current", "previous"]
        );
    }
}
