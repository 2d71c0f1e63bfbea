//! Storefronts, and what their keys allow.

use std::collections::BTreeSet;

use ecommpay::fields::ProjectId;
use serde::{Deserialize, Serialize};
use url::{Origin, Url};

use super::timestamp::Timestamp;

/// What a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// To create checkouts.
    Checkout,
    /// To read payments and refunds.
    Read,
    /// To refund.
    Refund,
    /// To reach payments that nobody created here.
    Project,
}

/// A storefront, as its key shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storefront {
    /// The public part of its key.
    pub key_id: String,
    /// SHA-256 of the key.
    pub key_hash: String,
    /// The storefront's name, which owns the payments it creates.
    pub name: String,
    /// The project its payments belong to.
    pub project_id: ProjectId,
    /// What the key allows.
    pub scopes: BTreeSet<Scope>,
    /// Where its shoppers may return to: scheme, host and port.
    pub return_origins: BTreeSet<String>,
}

impl Storefront {
    /// Whether the key allows this.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether shoppers may return to this address: scheme, host and port of one of the origins,
    /// and no user information.
    pub fn takes_return_url(&self, address: &str) -> bool {
        let Ok(url) = Url::parse(address) else {
            return false;
        };
        let plain = url.username().is_empty() && url.password().is_none();
        let Origin::Tuple(..) = url.origin() else {
            return false;
        };
        let origin = url.origin().ascii_serialization();
        plain && matches!(url.scheme(), "https" | "http") && self.return_origins.contains(&origin)
    }
}

/// A key as it is listed, from when it was made on and also after it was revoked: all about it,
/// but nothing that could be compared with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedKey {
    /// Its public part.
    pub key_id: String,
    /// The storefront's name.
    pub name: String,
    /// The project that the storefront's payments belong to.
    pub project_id: ProjectId,
    /// What it allows.
    pub scopes: BTreeSet<Scope>,
    /// Where shoppers may return to.
    pub return_origins: BTreeSet<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it opens nothing any more.
    pub revoked_at: Option<Timestamp>,
}

impl ListedKey {
    /// A key that was made at that moment.
    pub fn new(storefront: &Storefront, created_at: Timestamp) -> Self {
        Self {
            key_id: storefront.key_id.clone(),
            name: storefront.name.clone(),
            project_id: storefront.project_id,
            scopes: storefront.scopes.clone(),
            return_origins: storefront.return_origins.clone(),
            created_at,
            revoked_at: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn return_addresses_are_compared_as_origins() {
        let storefront = Storefront {
            key_id: "k".into(),
            key_hash: String::new(),
            name: "shop".into(),
            project_id: ProjectId::new(211).unwrap(),
            scopes: [Scope::Checkout].into(),
            return_origins: [
                "https://shop.example".into(),
                "http://127.0.0.1:8081".into(),
            ]
            .into(),
        };
        for good in [
            "https://shop.example/thanks?x=1",
            "https://SHOP.example:443/",
            "http://127.0.0.1:8081/thanks",
        ] {
            assert!(storefront.takes_return_url(good), "{good}");
        }
        for bad in [
            "http://shop.example/",
            "https://shop.example:8443/",
            "https://shop.example.evil.example/",
            "https://shop.example@evil.example/",
            "https://user:pw@shop.example/",
            "javascript:alert(1)",
            "//shop.example/",
            "data:text/html,x",
            "",
        ] {
            assert!(!storefront.takes_return_url(bad), "{bad}");
        }
    }
}
