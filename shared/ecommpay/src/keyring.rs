//! The secret keys of a project: one in use and, while it is being replaced, the one before.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;
use thiserror::Error;

use crate::signature::Signature;

/// A project's secret, prepared for HMAC-SHA-512. It shows itself nowhere.
///
/// Source: Signature.
#[derive(Clone)]
pub struct ProjectKey(Hmac<Sha512>);

/// An empty secret would sign, and would be anybody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a project key is empty")]
pub struct EmptyKey;

impl ProjectKey {
    /// Takes the secret as the platform shows it; its UTF-8 bytes are the key.
    pub fn new(secret: &str) -> Result<Self, EmptyKey> {
        if secret.is_empty() {
            return Err(EmptyKey);
        }
        Hmac::new_from_slice(secret.as_bytes())
            .map(Self)
            .map_err(|_| EmptyKey)
    }

    /// The signature of a canonical string.
    pub fn sign(&self, canonical: &[u8]) -> Signature {
        let mut mac = self.0.clone();
        mac.update(canonical);
        Signature::from_bytes(mac.finalize().into_bytes().into())
    }

    /// Whether `signature` belongs to the canonical string, in constant time.
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

/// Which of the two live keys verified a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySlot {
    /// The key we sign with.
    Current,
    /// The key before it, accepted until the platform has stopped using it.
    Previous,
}

impl KeySlot {
    /// The slot's name in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            KeySlot::Current => "current",
            KeySlot::Previous => "previous",
        }
    }
}

/// The live keys of one project.
#[derive(Debug, Clone)]
pub struct Keyring {
    current: ProjectKey,
    previous: Option<ProjectKey>,
}

impl Keyring {
    /// A keyring with the key in use and, during a rotation, the one before it.
    pub fn new(current: ProjectKey, previous: Option<ProjectKey>) -> Self {
        Self { current, previous }
    }

    /// The key to sign with.
    pub fn current(&self) -> &ProjectKey {
        &self.current
    }

    /// Whether a key is being replaced.
    pub fn has_previous(&self) -> bool {
        self.previous.is_some()
    }

    /// The slot whose key made `signature` over the canonical string, if either did.
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
    fn both_live_keys_verify_and_say_which() {
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
    fn a_key_hides_itself_and_is_never_empty() {
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
