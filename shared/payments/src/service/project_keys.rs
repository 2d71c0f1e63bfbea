//! Reads the keys of the projects from a secret, and rotates the keys.
//!
//! The secret has the form `{"211": {"current": "...", "previous": "..."}}`. Requests are signed with the current
//! key. Callbacks are accepted with either key, so none is refused during a rotation. A rotation replaces the current
//! key, which becomes the previous key. The previous key is dropped when the platform no longer signs with it
//! (`shared/decisions/protocol/0014-project-keys.md`).

use std::collections::BTreeMap;
use std::fmt;

use ecommpay::fields::ProjectId;
use ecommpay::{Keyring, ProjectKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::sha256;

/// The keys of every project, as keyrings that sign and verify messages.
pub type ProjectKeys = BTreeMap<ProjectId, Keyring>;

/// The text of a key, as the platform shows it. `Debug` hides the text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

/// Why a text cannot be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidKey {
    /// The text is empty.
    #[error("the key is empty")]
    Empty,
    /// The text has surrounding spaces or control characters, so it was not copied exactly.
    #[error("the key has spaces around it or contains control characters")]
    NotPlain,
}

impl SecretText {
    /// Creates a key from a copied text.
    pub fn read(text: &str) -> Result<Self, InvalidKey> {
        if text.trim().is_empty() {
            return Err(InvalidKey::Empty);
        }
        if text.trim() != text || text.contains(char::is_control) {
            return Err(InvalidKey::NotPlain);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the first 12 digits of the key's SHA-256, with which two people can compare their copies of the key.
    /// The key is random, so the digits do not reveal it.
    pub fn fingerprint(&self) -> String {
        sha256::start_of_hex(self.0.as_bytes(), 12)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretText(hidden)")
    }
}

/// The keys of one project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyPair {
    /// The key that signs our requests.
    pub current: SecretText,
    /// The replaced key, while the platform can still sign with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<SecretText>,
}

/// Why a change of the keys is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A first key cannot be added, because the project has a key.
    #[error("project {0} has a key already")]
    HasKey(ProjectId),
    /// The project has no key to replace.
    #[error("project {0} has no key yet")]
    NoKey(ProjectId),
    /// The new key is the current key.
    #[error("this is the current key of project {0} already")]
    SameKey(ProjectId),
    /// The project still has a previous key. The rotation would drop it, and callbacks with its signature would be
    /// refused.
    #[error("project {0} still has a previous key")]
    HasPrevious(ProjectId),
    /// The project has no previous key to drop.
    #[error("project {0} has no previous key")]
    NoPrevious(ProjectId),
}

/// The keys of all projects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProjectKeySet(BTreeMap<ProjectId, KeyPair>);

impl ProjectKeySet {
    /// Parses the secret.
    pub fn read(secret: &str) -> Option<Self> {
        serde_json::from_str(secret).ok()
    }

    /// Returns the new content of the secret.
    pub fn to_secret(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// Returns the projects and their keys.
    pub fn projects(&self) -> impl Iterator<Item = (ProjectId, &KeyPair)> {
        self.0.iter().map(|(project_id, pair)| (*project_id, pair))
    }

    /// Returns the keys of one project.
    pub fn of(&self, project_id: ProjectId) -> Option<&KeyPair> {
        self.0.get(&project_id)
    }

    /// Returns the keys as keyrings; `None` if a key is not valid.
    pub fn keyrings(&self) -> Option<ProjectKeys> {
        let keyring = |(project_id, pair): (ProjectId, &KeyPair)| {
            let current = ProjectKey::new(&pair.current.0).ok()?;
            let previous = pair.previous.as_ref().map(|key| ProjectKey::new(&key.0));
            Some((
                project_id,
                Keyring::new(current, previous.transpose().ok()?),
            ))
        };
        self.projects().map(keyring).collect()
    }

    /// Adds the first key of a project.
    pub fn add(&mut self, project_id: ProjectId, key: SecretText) -> Result<(), Refusal> {
        if self.0.contains_key(&project_id) {
            return Err(Refusal::HasKey(project_id));
        }
        let pair = KeyPair {
            current: key,
            previous: None,
        };
        self.0.insert(project_id, pair);
        Ok(())
    }

    /// Replaces the current key, which becomes the previous key. If the project still has a previous key, refuses the
    /// rotation unless `drop_previous` is true.
    pub fn rotate(
        &mut self,
        project_id: ProjectId,
        key: SecretText,
        drop_previous: bool,
    ) -> Result<(), Refusal> {
        let pair = self.pair(project_id)?;
        if pair.current == key {
            return Err(Refusal::SameKey(project_id));
        }
        if pair.previous.is_some() && !drop_previous {
            return Err(Refusal::HasPrevious(project_id));
        }
        pair.previous = Some(std::mem::replace(&mut pair.current, key));
        Ok(())
    }

    /// Drops the previous key of a project.
    pub fn retire(&mut self, project_id: ProjectId) -> Result<(), Refusal> {
        let dropped = self.pair(project_id)?.previous.take();
        dropped.map(|_| ()).ok_or(Refusal::NoPrevious(project_id))
    }

    fn pair(&mut self, project_id: ProjectId) -> Result<&mut KeyPair, Refusal> {
        let pair = self.0.get_mut(&project_id);
        pair.ok_or(Refusal::NoKey(project_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> ProjectId {
        ProjectId::new(number).unwrap()
    }

    fn key(text: &str) -> SecretText {
        SecretText::read(text).unwrap()
    }

    fn secret(keys: &ProjectKeySet) -> String {
        keys.to_secret().unwrap()
    }

    #[test]
    fn a_key_is_rotated_in_two_steps() {
        let mut keys = ProjectKeySet::default();
        assert_eq!(
            keys.rotate(id(211), key("a"), true),
            Err(Refusal::NoKey(id(211)))
        );
        assert_eq!(keys.retire(id(211)), Err(Refusal::NoKey(id(211))));
        keys.add(id(211), key("a")).unwrap();
        keys.add(id(212), key("z")).unwrap();
        assert_eq!(keys.add(id(211), key("b")), Err(Refusal::HasKey(id(211))));
        assert_eq!(
            secret(&keys),
            r#"{"211":{"current":"a"},"212":{"current":"z"}}"#
        );

        assert_eq!(
            keys.rotate(id(211), key("a"), true),
            Err(Refusal::SameKey(id(211)))
        );
        keys.rotate(id(211), key("b"), false).unwrap();
        let rotated = r#"{"211":{"current":"b","previous":"a"},"212":{"current":"z"}}"#;
        assert_eq!(secret(&keys), rotated);
        let refused = keys.rotate(id(211), key("c"), false);
        assert_eq!(refused, Err(Refusal::HasPrevious(id(211))));
        assert_eq!(secret(&keys), rotated, "a refused change has no effect");

        keys.rotate(id(211), key("a"), true).unwrap();
        keys.retire(id(211)).unwrap();
        assert_eq!(keys.retire(id(211)), Err(Refusal::NoPrevious(id(211))));
        assert_eq!(
            secret(&keys),
            r#"{"211":{"current":"a"},"212":{"current":"z"}}"#
        );
    }

    #[test]
    fn a_secret_is_parsed_or_refused() {
        let read = |secret: &str| Some(ProjectKeySet::read(secret)?.keyrings()?.len());
        assert_eq!(read("{}"), Some(0));
        assert_eq!(
            read(r#"{"211":{"current":"a"},"212":{"current":"b","previous":"c"}}"#),
            Some(2)
        );
        assert_eq!(read(r#"{"211":{"current":"a","previous":null}}"#), Some(1));
        for bad in [
            "",
            "[]",
            r#"{"x":{"current":"a"}}"#,
            r#"{"0":{"current":"a"}}"#,
            r#"{"211":{"current":""}}"#,
            r#"{"211":{"current":"a","previous":""}}"#,
            r#"{"211":{"current":"a","next":"b"}}"#,
            r#"{"211":{}}"#,
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
        let secret = r#"{"211":{"current":"a","previous":"b"}}"#;
        let keys = ProjectKeySet::read(secret).unwrap();
        assert_eq!(keys.to_secret().unwrap(), secret);
        assert!(!format!("{keys:?}").contains("\"a\""));
    }

    #[test]
    fn keys_are_compared_by_their_fingerprints() {
        assert_eq!(key("test-secret-key").fingerprint().len(), 12);
        assert_ne!(key("a").fingerprint(), key("b").fingerprint());
    }

    #[test]
    fn a_key_that_is_empty_or_not_plain_is_refused() {
        assert_eq!(SecretText::read(" "), Err(InvalidKey::Empty));
        for bad in [" a", "a ", "a\n", "a\u{3}b", "a\tb"] {
            assert_eq!(SecretText::read(bad), Err(InvalidKey::NotPlain), "{bad:?}");
        }
    }
}
