//! Defines storefronts and the scopes of their keys.

use std::collections::BTreeSet;

use ecommpay::fields::ProjectId;
use serde::{Deserialize, Serialize};
use url::{Origin, Url};

use super::ids::MerchantId;
use super::timestamp::Timestamp;

/// A permission of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// May create checkouts.
    Checkout,
    /// May read payments and refunds.
    Read,
    /// May request refunds.
    Refund,
    /// Extends the other scopes to the project's external payments.
    Project,
}

/// A storefront, as one of its keys identifies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storefront {
    /// The public part of the key.
    pub key_id: String,
    /// The SHA-256 of the key.
    pub key_hash: String,
    /// The storefront's name, which each of its payments stores.
    pub name: String,
    /// The project of the storefront's payments.
    pub project_id: ProjectId,
    /// The permissions of the key.
    pub scopes: BTreeSet<Scope>,
    /// The origins to which shoppers may return: scheme, host and port.
    pub return_origins: BTreeSet<String>,
    /// The required start of each payment id, if other systems make payments in the same project.
    pub payment_id_prefix: Option<MerchantId>,
}

impl Storefront {
    /// Whether the key has this scope.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether the storefront may create a payment with this id. Upper and lower case are equal.
    pub fn allows_payment_id(&self, payment_id: &MerchantId) -> bool {
        self.payment_id_prefix.as_ref().is_none_or(|prefix| {
            let prefix = prefix.as_str();
            let start = payment_id.as_str().get(..prefix.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        })
    }

    /// Whether shoppers may return to this URL. It must use HTTP or HTTPS, have a configured origin, and contain no
    /// user name or password.
    pub fn allows_return_url(&self, url: &str) -> bool {
        let Ok(url) = Url::parse(url) else {
            return false;
        };
        let has_no_user = url.username().is_empty() && url.password().is_none();
        let Origin::Tuple(..) = url.origin() else {
            return false;
        };
        let origin = url.origin().ascii_serialization();
        let is_http = matches!(url.scheme(), "https" | "http");
        has_no_user && is_http && self.return_origins.contains(&origin)
    }
}

/// An entry of the list of keys, without the hash of the key. Revoked keys stay in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedKey {
    /// The public part of the key.
    pub key_id: String,
    /// The storefront's name.
    pub name: String,
    /// The project of the storefront's payments.
    pub project_id: ProjectId,
    /// The permissions of the key.
    pub scopes: BTreeSet<Scope>,
    /// The origins to which shoppers may return.
    pub return_origins: BTreeSet<String>,
    /// The required start of each payment id; `None` if any id is allowed.
    pub payment_id_prefix: Option<MerchantId>,
    /// When the key was created.
    pub created_at: Timestamp,
    /// When the key was revoked; `None` while the key is valid.
    pub revoked_at: Option<Timestamp>,
}

impl ListedKey {
    /// Creates the entry of a new key.
    pub fn new(storefront: &Storefront, created_at: Timestamp) -> Self {
        Self {
            key_id: storefront.key_id.clone(),
            name: storefront.name.clone(),
            project_id: storefront.project_id,
            scopes: storefront.scopes.clone(),
            return_origins: storefront.return_origins.clone(),
            payment_id_prefix: storefront.payment_id_prefix.clone(),
            created_at,
            revoked_at: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storefront() -> Storefront {
        Storefront {
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
            payment_id_prefix: None,
        }
    }

    #[test]
    fn a_payment_id_must_begin_with_the_prefix_in_upper_or_lower_case() {
        let id = |text| MerchantId::new(text).unwrap();
        let mut storefront = storefront();
        assert!(storefront.allows_payment_id(&id("order-1")));
        storefront.payment_id_prefix = Some(id("web-"));
        for allowed in ["web-1", "WEB-1", "web-"] {
            assert!(storefront.allows_payment_id(&id(allowed)), "{allowed}");
        }
        for refused in ["order-1", "web", "web_1", "a-web-1"] {
            assert!(!storefront.allows_payment_id(&id(refused)), "{refused}");
        }
    }

    #[test]
    fn a_return_url_is_allowed_if_it_has_a_configured_origin() {
        let storefront = storefront();
        for allowed in [
            "https://shop.example/thanks?x=1",
            "https://SHOP.example:443/",
            "http://127.0.0.1:8081/thanks",
        ] {
            assert!(storefront.allows_return_url(allowed), "{allowed}");
        }
        for refused in [
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
            assert!(!storefront.allows_return_url(refused), "{refused}");
        }
    }
}
