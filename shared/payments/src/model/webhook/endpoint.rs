//! Defines an endpoint of a storefront: its URL, the events that it wants, and the versions of its secret.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use ecommpay::fields::ProjectId;
use serde::{Deserialize, Serialize};

use super::signature::{MasterSecret, SignedEvent};
use super::url::EndpointUrl;
use crate::model::timestamp::Timestamp;

/// The id of an endpoint, which is unique in the service: `[a-z0-9_-]{1,40}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EndpointId(String);

impl EndpointId {
    /// Returns `None` if the text does not have the allowed form.
    pub fn new(id: impl Into<String>) -> Option<Self> {
        let id = id.into();
        let is_allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-')
        };
        ((1..=40).contains(&id.len()) && id.bytes().all(is_allowed)).then_some(Self(id))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EndpointId {
    type Error = &'static str;

    fn try_from(id: String) -> Result<Self, Self::Error> {
        Self::new(id).ok_or("the id of an endpoint does not match [a-z0-9_-]{1,40}")
    }
}

impl From<EndpointId> for String {
    fn from(id: EndpointId) -> Self {
        id.0
    }
}

impl fmt::Display for EndpointId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The storefront of a project whose events an endpoint receives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EndpointOwner {
    /// The project.
    pub project_id: ProjectId,
    /// The name of the storefront.
    pub storefront: String,
}

/// The key of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EndpointKey {
    /// The owner.
    #[serde(flatten)]
    pub owner: EndpointOwner,
    /// The id.
    #[serde(rename = "endpoint")]
    pub id: EndpointId,
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The key.
    pub key: EndpointKey,
    /// The URL.
    pub url: EndpointUrl,
    /// The types of the events that the endpoint wants; all types if the set is empty.
    pub types: BTreeSet<String>,
    /// The versions of the secret.
    pub secrets: SecretVersions,
    /// The time of its registration.
    pub created_at: Timestamp,
}

impl Endpoint {
    /// Whether the endpoint wants events of this type.
    pub fn wants(&self, kind: &str) -> bool {
        self.types.is_empty() || self.types.contains(kind)
    }

    /// Signs an event for a try at the time `now`.
    pub fn sign(
        &self,
        master: &MasterSecret,
        event_id: &str,
        body: String,
        now: Timestamp,
    ) -> SignedEvent {
        let secret = |version| master.secret(self.key.id.as_str(), version);
        let current = secret(self.secrets.current);
        let previous = self.secrets.previous(now).map(secret);
        SignedEvent::new(event_id, body, now, &current, previous.as_ref())
    }
}

/// The versions of a secret. After a rotation, events are signed with both for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretVersions {
    /// The current version, from 1.
    pub current: u32,
    /// The version before the current one is also used until this time.
    pub previous_until: Option<Timestamp>,
}

impl SecretVersions {
    /// The first version.
    pub const FIRST: Self = Self {
        current: 1,
        previous_until: None,
    };

    /// Returns the previous version if events are still signed with it.
    pub fn previous(self, now: Timestamp) -> Option<u32> {
        let is_used = self.previous_until.is_some_and(|until| now < until);
        let previous = self.current.checked_sub(1).filter(|version| *version > 0);
        previous.filter(|_| is_used)
    }

    /// Returns the versions after a rotation. The replaced version is used for the time `overlap`.
    #[must_use]
    pub fn rotated(self, now: Timestamp, overlap: Duration) -> Self {
        Self {
            current: self.current.saturating_add(1),
            previous_until: Some(now.after(overlap)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::webhook::url::LoopbackHosts;

    const NOW: Timestamp = Timestamp::from_millis(1_562_059_700_123);
    const DAY: Duration = Duration::from_secs(24 * 3_600);

    fn endpoint(types: &[&str], secrets: SecretVersions) -> Endpoint {
        Endpoint {
            key: EndpointKey {
                owner: EndpointOwner {
                    project_id: ProjectId::new(211).unwrap(),
                    storefront: "shop".into(),
                },
                id: EndpointId::new("ep_1").unwrap(),
            },
            url: EndpointUrl::parse("https://shop.example/events", LoopbackHosts::Refused).unwrap(),
            types: types.iter().map(|kind| (*kind).to_owned()).collect(),
            secrets,
            created_at: NOW,
        }
    }

    #[test]
    fn an_endpoint_wants_every_type_unless_it_names_types() {
        let all = endpoint(&[], SecretVersions::FIRST);
        assert!(all.wants("payment.succeeded") && all.wants("a.later_type"));
        let some = endpoint(&["payment.succeeded"], SecretVersions::FIRST);
        assert!(some.wants("payment.succeeded") && !some.wants("payment.created"));
    }

    #[test]
    fn the_replaced_secret_signs_until_its_time_has_passed() {
        let first = SecretVersions::FIRST;
        assert_eq!((first.current, first.previous(NOW)), (1, None));
        let second = first.rotated(NOW, DAY);
        let before_end = NOW.after(DAY).before(Duration::from_millis(1));
        assert_eq!((second.current, second.previous(before_end)), (2, Some(1)));
        assert_eq!(second.previous(NOW.after(DAY)), None);
        let third = second.rotated(NOW, DAY);
        assert_eq!((third.current, third.previous(NOW)), (3, Some(2)));
    }

    #[test]
    fn an_event_has_a_signature_of_each_used_secret() {
        let master = MasterSecret::new(&"m".repeat(32)).unwrap();
        let signatures = |secrets: SecretVersions, now| {
            let signed = endpoint(&[], secrets).sign(&master, "211/order-1/1", "{}".into(), now);
            let [.., (_, signatures)] = signed.headers();
            signatures.split(' ').count()
        };
        let rotated = SecretVersions::FIRST.rotated(NOW, DAY);
        assert_eq!(signatures(SecretVersions::FIRST, NOW), 1);
        assert_eq!(signatures(rotated, NOW), 2);
        assert_eq!(signatures(rotated, NOW.after(DAY)), 1);
    }

    #[test]
    fn the_id_of_an_endpoint_has_1_to_40_allowed_characters() {
        for id in ["ep_1f-0", "e", &"e".repeat(40)] {
            assert!(EndpointId::new(id).is_some(), "{id}");
        }
        for id in ["", "Ep", "e/1", "e#1", "\u{e9}", &"e".repeat(41)] {
            assert!(EndpointId::new(id).is_none(), "{id}");
        }
    }
}
