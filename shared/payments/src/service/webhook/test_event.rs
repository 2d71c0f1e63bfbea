//! Makes the event with which an operator tests an endpoint.

use serde_json::json;

use crate::json_text::to_json_string;
use crate::model::timestamp::Timestamp;
use crate::model::webhook::{Endpoint, MasterSecret, SignedEvent};

/// The type of a test event. It is no [`EventKind`](crate::events::EventKind), so no payment has such an event.
pub const TEST_TYPE: &str = "webhook.test";

/// Creates a signed test event, which names no payment. Each test event has another id, so the endpoint does not drop it
/// as a repeat.
pub fn test_event(endpoint: &Endpoint, master: &MasterSecret, now: Timestamp) -> SignedEvent {
    let (key, owner) = (&endpoint.key, &endpoint.key.owner);
    let id = format!("{TEST_TYPE}/{}/{}", key.id, now.unix_millis());
    let body = to_json_string(&json!({
        "specversion": "1.0",
        "id": id,
        "source": format!("/ecommpay/{}", owner.project_id),
        "type": TEST_TYPE,
        "time": now,
        "datacontenttype": "application/json",
        "data": { "endpoint": key.id, "storefront": owner.storefront },
    }));
    endpoint.sign(master, &id, body, now)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ecommpay::fields::ProjectId;
    use serde_json::Value;

    use super::*;
    use crate::PaymentKey;
    use crate::events::EventKind;
    use crate::model::webhook::{
        EndpointId, EndpointKey, EndpointOwner, EndpointUrl, LoopbackHosts, SecretVersions,
    };
    use crate::sha256;

    const NOW: Timestamp = Timestamp::from_millis(1_562_059_700_123);

    fn signed(secrets: SecretVersions, now: Timestamp) -> SignedEvent {
        let endpoint = Endpoint {
            key: EndpointKey {
                owner: EndpointOwner {
                    project_id: ProjectId::new(211).unwrap(),
                    storefront: "shop".into(),
                },
                id: EndpointId::new("ep_1").unwrap(),
            },
            url: EndpointUrl::parse("https://shop.example/", LoopbackHosts::Refused).unwrap(),
            types: ["payment.succeeded".to_owned()].into(),
            secrets,
            created_at: NOW,
        };
        let master = MasterSecret::new(&"m".repeat(32)).unwrap();
        test_event(&endpoint, &master, now)
    }

    #[test]
    fn a_test_event_is_a_signed_cloud_event_that_names_no_payment() {
        let event = signed(SecretVersions::FIRST, NOW);
        let body: Value = serde_json::from_str(event.body()).unwrap();
        let expected = json!({
            "specversion": "1.0", "id": "webhook.test/ep_1/1562059700123", "source": "/ecommpay/211",
            "type": "webhook.test", "time": "2019-07-02T09:28:20.123Z",
            "datacontenttype": "application/json",
            "data": { "endpoint": "ep_1", "storefront": "shop" },
        });
        assert_eq!(body, expected);
        let id = body["id"].as_str().unwrap();
        let [webhook_id, _, (_, signature)] = event.headers();
        assert_eq!(webhook_id.1, sha256::hex(id.as_bytes()));
        assert!(signature.starts_with("v1,"));
        assert_eq!(EventKind::parse(TEST_TYPE), None);
        let payment = id.rsplit_once('/').unwrap().0;
        assert_eq!(PaymentKey::from_text(payment), None);
    }

    #[test]
    fn a_test_event_has_the_signatures_of_both_secrets_while_one_is_replaced_and_its_own_id() {
        let day = Duration::from_secs(24 * 3_600);
        let rotated = SecretVersions::FIRST.rotated(NOW, day);
        let later = NOW.after(Duration::from_millis(1));
        let (one, other) = (signed(rotated, NOW), signed(rotated, later));
        let [.., (_, signatures)] = one.headers();
        assert_eq!(signatures.split(' ').count(), 2);
        assert_ne!(one.headers()[0], other.headers()[0]);
    }
}
