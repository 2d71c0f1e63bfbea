//! Storefronts and their keys.
//!
//! A key is `sk_<id>_<secret>`. The id finds the storefront; of the whole key only the SHA-256 is
//! stored, and it is compared in constant time. A storefront can have several keys at once, so that it
//! takes a new one before the old one is revoked. What is revoked is not there any more, and
//! nobody is told that it ever was.

pub mod issue;

use crate::model::storefront::{Scope, Storefront};
use crate::ports::{StoreError, StorefrontStore};
use crate::sha256;

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
