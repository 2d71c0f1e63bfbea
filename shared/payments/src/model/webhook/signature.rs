//! Derives the secrets of endpoints, and signs events as [Standard Webhooks] defines it.
//!
//! An endpoint's secret is an HMAC over the endpoint's id and a version. It can be computed again, so it is not stored.
//!
//! [Standard Webhooks]: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::model::timestamp::Timestamp;
use crate::sha256;

/// The HMAC key from which the secrets of all endpoints are derived.
#[derive(Clone)]
pub struct MasterSecret(Hmac<Sha256>);

impl fmt::Debug for MasterSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MasterSecret(hidden)")
    }
}

impl MasterSecret {
    /// Returns `None` if the text has fewer than 32 bytes.
    pub fn new(secret: &str) -> Option<Self> {
        if secret.len() < 32 {
            return None;
        }
        Hmac::new_from_slice(secret.as_bytes()).ok().map(Self)
    }

    /// Returns the secret of an endpoint. A rotation raises the version.
    pub fn secret(&self, endpoint_id: &str, version: u32) -> WebhookSecret {
        let mut mac = self.0.clone();
        mac.update(format!("webhook/1/{endpoint_id}/{version}").as_bytes());
        WebhookSecret(mac.finalize().into_bytes().to_vec())
    }
}

/// The secret of an endpoint, with which the storefront verifies events.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Vec<u8>);

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebhookSecret(hidden)")
    }
}

impl WebhookSecret {
    /// Reads the form that [`to_text`](Self::to_text) returns. Standard Webhooks asks for a key of 24 to 64 bytes.
    pub fn from_text(text: &str) -> Option<Self> {
        let key = STANDARD.decode(text.strip_prefix("whsec_")?).ok()?;
        (24..=64).contains(&key.len()).then_some(Self(key))
    }

    /// Returns the form in which the libraries of Standard Webhooks read a secret: `whsec_` and base64.
    pub fn to_text(&self) -> String {
        format!("whsec_{}", STANDARD.encode(&self.0))
    }

    /// Returns `v1,` and the signature in base64.
    fn sign(&self, webhook_id: &str, timestamp: i64, body: &str) -> String {
        // HMAC accepts keys of any length, so there is always a signature.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return String::new();
        };
        mac.update(format!("{webhook_id}.{timestamp}.").as_bytes());
        mac.update(body.as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// An event with the headers of one try. Each try has its own timestamp and signature.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedEvent {
    webhook_id: String,
    timestamp: String,
    signature: String,
    body: String,
}

impl fmt::Debug for SignedEvent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = formatter.debug_struct("SignedEvent");
        fields.field("webhook_id", &self.webhook_id);
        fields.finish_non_exhaustive()
    }
}

impl SignedEvent {
    /// Signs an event for a try at the time `now`. While a secret is being replaced, `previous` also signs it.
    pub fn new(
        event_id: &str,
        body: String,
        now: Timestamp,
        current: &WebhookSecret,
        previous: Option<&WebhookSecret>,
    ) -> Self {
        let webhook_id = sha256::hex(event_id.as_bytes());
        let timestamp = now.unix_seconds();
        let secrets = [Some(current), previous].into_iter().flatten();
        let signatures = secrets.map(|secret| secret.sign(&webhook_id, timestamp, &body));
        let signature = signatures.collect::<Vec<_>>().join(" ");
        Self {
            webhook_id,
            timestamp: timestamp.to_string(),
            signature,
            body,
        }
    }

    /// Returns the names and values of the headers of Standard Webhooks.
    pub fn headers(&self) -> [(&'static str, &str); 3] {
        [
            ("webhook-id", &self.webhook_id),
            ("webhook-timestamp", &self.timestamp),
            ("webhook-signature", &self.signature),
        ]
    }

    /// Returns the CloudEvent.
    pub fn body(&self) -> &str {
        &self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"test": 2432232314}"#;

    fn master(letter: &str) -> MasterSecret {
        MasterSecret::new(&letter.repeat(32)).unwrap()
    }

    fn signed(current: &WebhookSecret, previous: Option<&WebhookSecret>) -> SignedEvent {
        let now = Timestamp::from_millis(1_562_059_700_999);
        SignedEvent::new("211/order-1/3", BODY.to_owned(), now, current, previous)
    }

    fn signature(event: &SignedEvent) -> &str {
        let [_, _, (_, signature)] = event.headers();
        signature
    }

    /// The vector of the libraries' tests: `sign function works`.
    #[test]
    fn a_signature_is_equal_to_the_vector_of_standard_webhooks() {
        let key = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let secret = WebhookSecret(STANDARD.decode(key).unwrap());
        assert_eq!(secret.to_text(), format!("whsec_{key}"));
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(secret.sign(id, 1_614_265_330, BODY), expected);
    }

    /// The values were computed with Python's `hmac`. Storefronts keep their secrets, so the values never change.
    #[test]
    fn the_secret_of_an_endpoint_never_changes() {
        let secret = master("m").secret("ep_1", 1).to_text();
        assert_eq!(secret, "whsec_nSDKbVodT9ZNrKOzkYRimecy/8rQv8SBlOhoMTB5Bmk=");
    }

    #[test]
    fn a_secret_differs_for_another_endpoint_version_or_master_secret() {
        let secret = master("m").secret("ep_1", 1);
        for other in [
            master("m").secret("ep_2", 1),
            master("m").secret("ep_1", 2),
            master("n").secret("ep_1", 1),
        ] {
            assert!(secret != other);
        }
    }

    #[test]
    fn a_secret_has_256_bits_after_its_prefix() {
        let text = master("m").secret("ep_1", 1).to_text();
        let encoded = text.strip_prefix("whsec_").unwrap();
        assert_eq!(STANDARD.decode(encoded).unwrap().len() * 8, 256);
    }

    #[test]
    fn a_secret_is_equal_after_writing_and_reading_and_other_texts_are_refused() {
        let secret = master("m").secret("ep_1", 1);
        assert!(WebhookSecret::from_text(&secret.to_text()) == Some(secret));
        let of_length = |bytes| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        assert!(WebhookSecret::from_text(&of_length(24)).is_some());
        let no_prefix = STANDARD.encode([7; 32]);
        for text in [
            "",
            "whsec_",
            "whsec_?",
            &no_prefix,
            &of_length(23),
            &of_length(65),
        ] {
            assert!(WebhookSecret::from_text(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_short_master_secret_is_refused() {
        assert!(MasterSecret::new(&"m".repeat(31)).is_none());
    }

    #[test]
    fn the_headers_have_the_hashed_event_id_and_the_seconds_of_the_try() {
        let event = signed(&master("m").secret("ep_1", 1), None);
        let [id, timestamp, (name, signature)] = event.headers();
        assert_eq!(id, ("webhook-id", &*sha256::hex(b"211/order-1/3")));
        assert_eq!(timestamp, ("webhook-timestamp", "1562059700"));
        assert_eq!(name, "webhook-signature");
        assert!(signature.starts_with("v1,"), "{signature}");
        assert_eq!(event.body(), BODY);
    }

    #[test]
    fn an_event_is_signed_with_both_secrets_while_a_secret_is_being_replaced() {
        let (old, new) = (master("m").secret("ep_1", 1), master("m").secret("ep_1", 2));
        let (by_old, by_new) = (signed(&old, None), signed(&new, None));
        let both = signed(&new, Some(&old));
        let expected = format!("{} {}", signature(&by_new), signature(&by_old));
        assert_eq!(signature(&both), expected);
    }

    #[test]
    fn debug_shows_neither_secrets_nor_bodies() {
        let secret = master("m").secret("ep_1", 1);
        assert_eq!(format!("{:?}", master("m")), "MasterSecret(hidden)");
        assert_eq!(format!("{secret:?}"), "WebhookSecret(hidden)");
        let event = format!("{:?}", signed(&secret, None));
        assert!(!event.contains("v1,") && !event.contains("test"), "{event}");
    }
}
