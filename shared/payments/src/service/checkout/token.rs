//! Derives checkout tokens, the secret part of a checkout's URL
//! (`shared/decisions/protocol/0015-checkout-tokens.md`).
//!
//! A token is an HMAC over the payment's key and the attempt. It can be computed again, so only its SHA-256 is
//! stored.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ecommpay::fields::Text;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::model::Payment;
use crate::model::ids::PaymentKey;
use crate::sha256;

/// The token secret: the HMAC key with which all tokens are computed.
#[derive(Clone)]
pub struct TokenSecret(Hmac<Sha256>);

impl fmt::Debug for TokenSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenSecret(hidden)")
    }
}

impl TokenSecret {
    /// Returns `None` if the text has fewer than 32 bytes.
    pub fn new(secret: &str) -> Option<Self> {
        if secret.len() < 32 {
            return None;
        }
        Hmac::new_from_slice(secret.as_bytes()).ok().map(Self)
    }

    /// Returns the token of a payment's attempt: 192 bits in 32 characters.
    pub fn token(&self, key: &PaymentKey, attempt: u32) -> String {
        let mut mac = self.0.clone();
        mac.update(format!("checkout/{attempt}/{key}").as_bytes());
        let digest = mac.finalize().into_bytes();
        URL_SAFE_NO_PAD.encode(digest.get(..24).unwrap_or(&digest))
    }

    /// Returns a keyed digest of a request's content. Without the key, the digest does not reveal erased personal data.
    pub(super) fn digest_of_content(&self, content: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(format!("content/{content}").as_bytes());
        let digest = mac.finalize().into_bytes();
        URL_SAFE_NO_PAD.encode(digest.get(..24).unwrap_or(&digest))
    }

    /// Returns the URL to which the bank returns the shopper. `base_url` has no trailing slash.
    pub(super) fn return_url(&self, payment: &Payment, base_url: &str) -> Option<Text> {
        let token = self.token(&payment.key(), payment.attempt().number());
        Text::new(format!("{base_url}/checkouts/{token}/return")).ok()
    }
}

/// Returns the SHA-256 of a token, which is stored instead of the token.
pub fn hash(token: &str) -> String {
    sha256::hex(token.as_bytes())
}

#[cfg(test)]
mod tests {
    use ecommpay::fields::ProjectId;

    use super::*;

    fn secret(letter: &str) -> TokenSecret {
        TokenSecret::new(&letter.repeat(32)).unwrap()
    }

    fn key(payment_id: &str) -> PaymentKey {
        PaymentKey::new(ProjectId::new(211).unwrap(), payment_id)
    }

    #[test]
    fn a_token_is_the_same_for_each_spelling_of_the_payment_id() {
        let token = secret("s").token(&key("Order-1"), 0);
        assert_eq!(token.len(), 32);
        assert_eq!(token, secret("s").token(&key("order-1"), 0));
    }

    #[test]
    fn a_token_has_192_bits_in_32_characters() {
        let token = secret("s").token(&key("order-1"), 0);
        assert_eq!(token.len(), 32);
        assert_eq!(URL_SAFE_NO_PAD.decode(token).unwrap().len() * 8, 192);
    }

    #[test]
    fn a_token_is_stored_as_its_sha_256() {
        let stored = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash("abc"), stored);
    }

    #[test]
    fn a_token_differs_for_another_payment_attempt_or_secret() {
        let token = secret("s").token(&key("order-1"), 0);
        assert_ne!(token, secret("s").token(&key("order-2"), 0));
        assert_ne!(token, secret("s").token(&key("order-1"), 1));
        assert_ne!(token, secret("t").token(&key("order-1"), 0));
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert!(TokenSecret::new("short").is_none());
    }
}
