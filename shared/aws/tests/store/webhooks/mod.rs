//! Tests the stores of endpoints and deliveries, and the queue of deliveries.

mod deliveries;
mod enabling;
mod endpoints;
mod queue;
mod stored;

use aws::dynamodb::DynamoStore;
use aws::dynamodb::webhooks::{WebhookDeliveries, WebhookEndpoints};
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::model::webhook::{
    Endpoint, EndpointId, EndpointKey, EndpointOwner, EndpointUrl, LoopbackHosts, SecretVersions,
};
use wire::{TABLE, WEBHOOK_DELIVERIES, WEBHOOK_ENDPOINTS, Wire};

const NOW: Timestamp = Timestamp::from_millis(1_562_059_700_123);

struct Stores {
    wire: Wire,
    endpoints: WebhookEndpoints,
    deliveries: WebhookDeliveries,
}

impl Stores {
    async fn new() -> Self {
        let wire = Wire::start().await.unwrap();
        let store = DynamoStore::new(wire.config(), TABLE);
        Self {
            endpoints: store.webhook_endpoints(WEBHOOK_ENDPOINTS, LoopbackHosts::Refused),
            deliveries: store.webhook_deliveries(WEBHOOK_DELIVERIES),
            wire,
        }
    }
}

fn owner(storefront: &str) -> EndpointOwner {
    EndpointOwner {
        project_id: ProjectId::new(211).unwrap(),
        storefront: storefront.into(),
    }
}

fn id(id: &str) -> EndpointId {
    EndpointId::new(id).unwrap()
}

fn endpoint_key(storefront: &str, endpoint_id: &str) -> EndpointKey {
    EndpointKey {
        owner: owner(storefront),
        id: id(endpoint_id),
    }
}

fn endpoint(storefront: &str, endpoint_id: &str) -> Endpoint {
    Endpoint {
        key: endpoint_key(storefront, endpoint_id),
        url: EndpointUrl::parse("https://shop.example/events?key=1", LoopbackHosts::Refused)
            .unwrap(),
        types: ["payment.succeeded", "refund.succeeded"]
            .map(String::from)
            .into(),
        secrets: SecretVersions::FIRST,
        created_at: NOW,
    }
}
