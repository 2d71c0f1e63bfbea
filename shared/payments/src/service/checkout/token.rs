//! Checkout tokens: unguessable, and the same each time for one payment.
//!
//! A token is an HMAC over the payment's key with a secret of ours, so a repeated `POST
//! /checkouts` gives the same address without storing the token: only its SHA-256 is stored.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::model::ids::PaymentKey;
use crate::sha256;

/// The secret that tokens are made with.
#[derive(Clone)]
pub struct TokenSecret(Hmac<Sha256>);

impl std::fmt::Debug for TokenSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TokenSecret(hidden)")
    }
}

impl TokenSecret {
    /// Takes a secret of at least 32 characters.
    pub fn new(secret: &str) -> Option<Self> {
        if secret.len() < 32 {
            return None;
        }
        Hmac::new_from_slice(secret.as_bytes()).ok().map(Self)
    }

    /// The token of a payment's checkout: 192 bits in 32 characters. Each attempt has its own.
    pub fn token(&self, key: &PaymentKey, attempt: u32) -> String {
        let mut mac = self.0.clone();
        mac.update(format!("checkout/{attempt}/{key}").as_bytes());
        let digest = mac.finalize().into_bytes();
        URL_SAFE_NO_PAD.encode(digest.get(..24).unwrap_or(&digest))
    }
}

/// What is stored of a token.
pub fn hash(token: &str) -> String {
    sha256::hex(token.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecommpay::fields::ProjectId;

    #[test]
    fn tokens_can_be_computed_again() {
        let project = ProjectId::new(211).unwrap();
        let secret = TokenSecret::new(&"s".repeat(32)).unwrap();
        let token = secret.token(&PaymentKey::new(project, "Order-1"), 0);
        assert_eq!(token.len(), 32);
        assert_eq!(token, secret.token(&PaymentKey::new(project, "order-1"), 0));
        assert_ne!(token, secret.token(&PaymentKey::new(project, "order-2"), 0));
        assert_ne!(token, secret.token(&PaymentKey::new(project, "order-1"), 1));
        let other = TokenSecret::new(&"t".repeat(32)).unwrap();
        assert_ne!(token, other.token(&PaymentKey::new(project, "order-1"), 0));
        assert!(TokenSecret::new("short").is_none());
    }
}
