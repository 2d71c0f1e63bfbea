//! Storefronts and their keys.
//!
//! A key is `sk_<id>_<secret>`. The id finds the storefront; of the whole key only the SHA-256 is
//! stored, and it is compared in constant time. A storefront can have several keys at once, so that it
//! takes a new one before the old one is revoked. What is revoked is not there any more, and
//! nobody is told that it ever was.

pub mod issue;
mod listed;

use std::collections::BTreeSet;

use ecommpay::fields::ProjectId;
use serde::{Deserialize, Serialize};
use url::{Origin, Url};

pub use self::listed::ListedKey;

use crate::ports::{StoreError, StorefrontStore};
use crate::sha256;

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

/// The public part of a key.
pub fn key_id(key: &str) -> Option<&str> {
    let (id, secret) = key.strip_prefix("sk_")?.split_once('_')?;
    let plain = id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (plain && !id.is_empty() && !secret.is_empty()).then_some(id)
}

/// Why a call was not let in.
#[derive(Debug)]
pub enum Denied {
    /// No key, or not one of ours.
    Unknown,
    /// The key does not allow this.
    Scope,
    /// The store failed.
    Store(StoreError),
}

/// The storefront behind an `Authorization: Bearer` header, if its key allows `scope`.
pub async fn authorize(
    store: &impl StorefrontStore,
    authorization: Option<&str>,
    scope: Scope,
) -> Result<Storefront, Denied> {
    let bearer = authorization.and_then(|header| header.split_once(' '));
    let key = match bearer {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key.trim(),
        _ => return Err(Denied::Unknown),
    };
    let id = key_id(key).ok_or(Denied::Unknown)?;
    let storefront = store.storefront(id).await.map_err(Denied::Store)?;
    let storefront = storefront.ok_or(Denied::Unknown)?;
    if !sha256::same(&storefront.key_hash, &sha256::hex(key.as_bytes())) {
        return Err(Denied::Unknown);
    }
    if !storefront.may(scope) {
        return Err(Denied::Scope);
    }
    Ok(storefront)
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

    #[test]
    fn a_key_names_its_public_part() {
        assert_eq!(key_id("sk_a1_secret"), Some("a1"));
        assert_eq!(key_id("sk_a1_sec_ret"), Some("a1"));
        for key in [
            "",
            "sk_",
            "sk_a1",
            "sk__x",
            "pk_a_b",
            "sk_a_",
            "sk_a#b_c",
            &format!("sk_{}_x", "a".repeat(65)),
        ] {
            assert_eq!(key_id(key), None, "{key}");
        }
    }
}
