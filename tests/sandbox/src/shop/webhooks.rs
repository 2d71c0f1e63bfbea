//! Receives the events that are posted to the shop's endpoint.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use payments::Timestamp;
use payments::model::webhook::{SignedEvent, WebhookSecret};
use serde::Deserialize;

use super::history::History;
use super::orders::{Event, Orders, Shipment};

/// The greatest difference between the time of a try and the shop's clock.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// The shop's endpoint.
#[derive(Debug)]
pub struct Webhooks {
    secret: WebhookSecret,
    history: Arc<History>,
    orders: Mutex<Orders>,
}

/// The part of each event that the verification needs.
#[derive(Deserialize)]
struct Named {
    id: String,
}

impl Webhooks {
    /// Creates the endpoint with its secret.
    pub fn new(secret: WebhookSecret, history: Arc<History>) -> Self {
        Self {
            secret,
            history,
            orders: Mutex::default(),
        }
    }

    /// Returns the shipment of an order.
    pub fn shipment(&self, payment_id: &str) -> Shipment {
        self.orders().shipment(payment_id)
    }

    /// Applies an event, and returns the status of the answer. A repeated event changes nothing and has the same status.
    pub fn receive(&self, headers: &HeaderMap, body: &str, now: Timestamp) -> StatusCode {
        if self.verify(headers, body, now).is_none() {
            return StatusCode::UNAUTHORIZED;
        }
        // An event of another program, or of a type that the shop does not know, is accepted and has no effect.
        if let Ok(event) = serde_json::from_str::<Event>(body) {
            self.orders().receive(&event, &self.history);
        }
        StatusCode::NO_CONTENT
    }

    /// Returns `None` unless the headers have a signature of the endpoint's secret, and the try is not old.
    fn verify(&self, headers: &HeaderMap, body: &str, now: Timestamp) -> Option<()> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let seconds: i64 = header("webhook-timestamp")?.parse().ok()?;
        let at = Timestamp::from_millis(seconds.checked_mul(1_000)?);
        let is_recent = now.since(at) <= TOLERANCE && at.since(now) <= TOLERANCE;
        let Named { id } = serde_json::from_str(body).ok()?;
        let expected = SignedEvent::new(&id, body.to_owned(), at, &self.secret, None);
        // While a secret is being replaced, there are two signatures.
        let is_equal = |(name, value): (&str, &str)| {
            header(name).is_some_and(|all| all.split(' ').any(|one| one == value))
        };
        (is_recent && expected.headers().into_iter().all(is_equal)).then_some(())
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use payments::model::webhook::MasterSecret;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_562_059_700_000);
    const ID: &str = "211/shop-1/3";
    const PAID: &str = r#"{"id":"211/shop-1/3","subject":"shop-1","type":"payment.succeeded","data":{"status":"succeeded"}}"#;

    fn secret(version: u32) -> WebhookSecret {
        let master = MasterSecret::new(&"m".repeat(32)).unwrap();
        master.secret("ep_1", version)
    }

    fn headers(signed: &SignedEvent) -> HeaderMap {
        let headers = signed.headers().into_iter();
        let header = |(name, value): (&'static str, &str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )
        };
        headers.map(header).collect()
    }

    fn sign(secret: &WebhookSecret, previous: Option<&WebhookSecret>) -> HeaderMap {
        headers(&SignedEvent::new(
            ID,
            PAID.to_owned(),
            NOW,
            secret,
            previous,
        ))
    }

    fn shop() -> Webhooks {
        Webhooks::new(secret(1), Arc::default())
    }

    #[test]
    fn a_signed_event_ships_an_order_and_its_repeat_is_accepted_without_effect() {
        let shop = shop();
        let signed = sign(&secret(1), None);
        for _ in 0..2 {
            assert_eq!(shop.receive(&signed, PAID, NOW), StatusCode::NO_CONTENT);
            assert_eq!(shop.shipment("shop-1"), Shipment::Shipped);
        }
        assert_eq!(shop.history.lines().len(), 2);
    }

    #[test]
    fn an_event_is_refused_if_its_signature_or_its_time_is_wrong() {
        let signed = sign(&secret(1), None);
        let forged = PAID.replace("shop-1", "shop-2");
        let later = NOW.after(Duration::from_secs(301));
        let earlier = NOW.before(Duration::from_secs(301));
        for (headers, body, now) in [
            (&signed, forged.as_str(), NOW),
            (&sign(&secret(2), None), PAID, NOW),
            (&HeaderMap::new(), PAID, NOW),
            (&signed, "", NOW),
            (&signed, PAID, later),
            (&signed, PAID, earlier),
        ] {
            let shop = shop();
            assert_eq!(shop.receive(headers, body, now), StatusCode::UNAUTHORIZED);
            assert_eq!(shop.shipment("shop-1"), Shipment::NotYet);
            assert!(shop.history.lines().is_empty());
        }
    }

    #[test]
    fn an_event_is_accepted_with_both_signatures_while_a_secret_is_being_replaced() {
        let signed = sign(&secret(2), Some(&secret(1)));
        assert_eq!(shop().receive(&signed, PAID, NOW), StatusCode::NO_CONTENT);
    }

    #[test]
    fn an_event_that_is_not_about_an_order_is_accepted_without_effect() {
        let body = r#"{"id":"test","type":"endpoint.test","data":{}}"#;
        let signed = SignedEvent::new("test", body.to_owned(), NOW, &secret(1), None);
        let shop = shop();
        assert_eq!(
            shop.receive(&headers(&signed), body, NOW),
            StatusCode::NO_CONTENT
        );
        assert!(shop.history.lines().is_empty());
    }
}
