//! The keys of the projects as the secret has them, and how they are replaced.
//!
//! `{"211": {"current": "...", "previous": "..."}}`. What we send is signed with the current one;
//! callbacks by either are taken. So a key is replaced in two steps without a callback being
//! refused: the new one comes before the old one, and the old one goes once nothing is signed with
//! it any more.

use std::collections::BTreeMap;
use std::fmt;

use ecommpay::fields::ProjectId;
use ecommpay::{Keyring, ProjectKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::sha256;

/// The keys of every project.
pub type ProjectKeys = BTreeMap<ProjectId, Keyring>;

/// A project's key as the platform shows it. It hides itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

/// What cannot be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadKey {
    /// It would be anybody's.
    #[error("the key is empty")]
    Empty,
    /// It was not copied as the platform shows it.
    #[error("the key has spaces around it, or characters that nobody can type")]
    NotPlain,
}

impl SecretText {
    /// Reads a key that somebody has copied.
    pub fn read(text: &str) -> Result<Self, BadKey> {
        if text.trim().is_empty() {
            return Err(BadKey::Empty);
        }
        if text.trim() != text || text.contains(char::is_control) {
            return Err(BadKey::NotPlain);
        }
        Ok(Self(text.to_owned()))
    }

    /// Twelve digits of its SHA-256: two people can tell with them whether they hold the same key. A
    /// key is random, so nobody finds it by them.
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
    /// The key that we sign with.
    pub current: SecretText,
    /// The one before it, while that may still be in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<SecretText>,
}

/// Why keys stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Not its first key.
    #[error("project {0} has a key already")]
    HasKey(ProjectId),
    /// Nothing to replace.
    #[error("project {0} has no key yet")]
    NoKey(ProjectId),
    /// Nothing new.
    #[error("this is the current key of project {0} already")]
    SameKey(ProjectId),
    /// It would be lost, and callbacks signed with it refused.
    #[error("project {0} still has a previous key")]
    HasPrevious(ProjectId),
    /// Nothing to drop.
    #[error("project {0} has no previous key")]
    NoPrevious(ProjectId),
}

/// The keys of all projects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProjectKeySet(BTreeMap<ProjectId, KeyPair>);

impl ProjectKeySet {
    /// Reads what the secret holds.
    pub fn read(secret: &str) -> Option<Self> {
        serde_json::from_str(secret).ok()
    }

    /// What the secret is to hold.
    pub fn to_secret(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// The projects and their keys.
    pub fn projects(&self) -> impl Iterator<Item = (ProjectId, &KeyPair)> {
        self.0.iter().map(|(project_id, pair)| (*project_id, pair))
    }

    /// The keys of one project.
    pub fn of(&self, project_id: ProjectId) -> Option<&KeyPair> {
        self.0.get(&project_id)
    }

    /// The keys to sign and verify with, if each can be one.
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

    /// Makes a key the current one and the current one the previous. If there still is a previous
    /// one, it is dropped only where that is wanted.
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

    fn secret(book: &ProjectKeySet) -> String {
        book.to_secret().unwrap()
    }

    #[test]
    fn a_key_is_replaced_in_two_steps() {
        let mut book = ProjectKeySet::default();
        assert_eq!(
            book.rotate(id(211), key("a"), true),
            Err(Refusal::NoKey(id(211)))
        );
        assert_eq!(book.retire(id(211)), Err(Refusal::NoKey(id(211))));
        book.add(id(211), key("a")).unwrap();
        book.add(id(212), key("z")).unwrap();
        assert_eq!(book.add(id(211), key("b")), Err(Refusal::HasKey(id(211))));
        assert_eq!(
            secret(&book),
            r#"{"211":{"current":"a"},"212":{"current":"z"}}"#
        );

        assert_eq!(
            book.rotate(id(211), key("a"), true),
            Err(Refusal::SameKey(id(211)))
        );
        book.rotate(id(211), key("b"), false).unwrap();
        let rotated = r#"{"211":{"current":"b","previous":"a"},"212":{"current":"z"}}"#;
        assert_eq!(secret(&book), rotated);
        let refused = book.rotate(id(211), key("c"), false);
        assert_eq!(refused, Err(Refusal::HasPrevious(id(211))));
        assert_eq!(secret(&book), rotated, "what is refused changes nothing");

        // Back to the one before.
        book.rotate(id(211), key("a"), true).unwrap();
        book.retire(id(211)).unwrap();
        assert_eq!(book.retire(id(211)), Err(Refusal::NoPrevious(id(211))));
        assert_eq!(
            secret(&book),
            r#"{"211":{"current":"a"},"212":{"current":"z"}}"#
        );
    }

    #[test]
    fn a_book_is_read_or_refused() {
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
        let book = ProjectKeySet::read(secret).unwrap();
        assert_eq!(book.to_secret().unwrap(), secret);
        assert!(!format!("{book:?}").contains("\"a\""));
    }

    #[test]
    fn a_key_is_plain_and_known_by_its_fingerprint() {
        assert_eq!(key("test-secret-key").fingerprint().len(), 12);
        assert_ne!(key("a").fingerprint(), key("b").fingerprint());
        assert_eq!(SecretText::read(" "), Err(BadKey::Empty));
        for bad in [" a", "a ", "a\n", "a\u{3}b", "a\tb"] {
            assert_eq!(SecretText::read(bad), Err(BadKey::NotPlain), "{bad:?}");
        }
    }
}
