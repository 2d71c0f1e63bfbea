//! Authorizes storefronts by their keys (`shared/decisions/protocol/0032-table-of-storefront-keys.md`).
//!
//! A key has the form `sk_<id>_<secret>`. The id identifies the key in the store. Only the SHA-256 of the whole key is
//! stored, and this digest is compared in constant time. A storefront can have several keys, so a new key can be in use
//! before the old key is revoked. A revoked key is treated like an unknown key.

mod new_key;
pub mod settings;

pub use self::new_key::NewKey;
use crate::model::storefront::{Scope, Storefront};
use crate::ports::{StoreError, StorefrontStore};
use crate::sha256;

/// Returns the id of a key, which is its public part. Returns `None` if the text cannot be a key.
pub fn key_id(key: &str) -> Option<&str> {
    let (id, secret) = key.strip_prefix("sk_")?.split_once('_')?;
    let is_id = id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_id && !id.is_empty() && !secret.is_empty()).then_some(id)
}

/// Why a call is denied.
#[derive(Debug)]
pub enum Denied {
    /// The call has no key, or the key is unknown.
    Unknown,
    /// The key lacks the scope of the call.
    Scope,
    /// The store failed.
    Store(StoreError),
}

/// Returns the storefront of the key in an `Authorization` header. Refuses a key without `scope`.
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
    if !sha256::equal(&storefront.key_hash, &sha256::hex(key.as_bytes())) {
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
    fn the_id_of_a_key_is_the_text_between_the_two_underscores() {
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
