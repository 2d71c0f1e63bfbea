//! Makes the deliveries of the messages of both queues.

use std::time::Duration;

use aws::deadline::deadline;
use aws::delivery_queue::SqsDeliveryQueue;
use aws::dynamodb::DynamoStore;
use aws::dynamodb::webhooks::{WebhookDeliveries, WebhookEndpoints};
use aws::environment::{Environment, LiveWebhooks};
use aws::messages::{Batch, Failures, Message};
use aws::prewarm;
use aws::secrets::CachedWebhookSecret;
use aws::webhook_http::WebhookHttp;
use lambda_runtime::{Error, LambdaEvent};
use payments::Timestamp;
use payments::log::Line;
use payments::model::webhook::MasterSecret;
use payments::ports::{Delivery as Content, SystemClock};
use payments::service::webhook::Deliverer;
use tokio::time::Instant;

use crate::summary;

/// Deliveries stop this long before the function's time-out.
const RESERVE: Duration = Duration::from_secs(3);

type LiveDeliverer<'a> = Deliverer<
    'a,
    WebhookEndpoints,
    WebhookDeliveries,
    SystemClock,
    DynamoStore,
    WebhookHttp,
    SqsDeliveryQueue,
>;

pub struct Delivery {
    webhooks: LiveWebhooks,
    payments: DynamoStore,
    sender: WebhookHttp,
    retries: SqsDeliveryQueue,
    secret: CachedWebhookSecret,
}

impl Delivery {
    pub fn from_environment() -> Result<Self, Error> {
        let environment = Environment::load()?;
        Ok(Self {
            webhooks: environment.webhooks()?,
            payments: environment.store()?,
            sender: WebhookHttp::new(aws::config::loopback_endpoints()?)?,
            retries: environment.retries_queue()?,
            secret: environment.webhook_secret()?,
        })
    }

    /// Opens connections and reads the secret before the first message.
    pub async fn prewarm(&self) {
        let all = async { tokio::join!(self.webhooks.endpoints.prewarm(), self.secret.prewarm()) };
        prewarm::within_limit(all).await;
    }

    /// Returns the messages that must be delivered again. A retry that failed is not one of them, because a later run hands
    /// it out again.
    pub async fn handle(&self, event: LambdaEvent<Batch>) -> Result<Failures, Error> {
        let deadline = deadline(&event.context, RESERVE);
        let master = self.secret.get().await?;
        let mut failures = Failures::default();
        for message in &event.payload.messages {
            if !self.deliver(message, master, deadline).await {
                failures.add(message);
            }
        }
        Ok(failures)
    }

    async fn deliver(&self, message: &Message, master: &MasterSecret, deadline: Instant) -> bool {
        let deliverer: LiveDeliverer<'_> = Deliverer {
            webhooks: &self.webhooks,
            payments: &self.payments,
            sender: &self.sender,
            retries: &self.retries,
            master,
        };
        let error = match serde_json::from_str(&message.body) {
            Ok(Content::FirstTry(first_try)) => {
                let sent_at = message.attribute("SentTimestamp");
                let sent_at = sent_at.and_then(|millis| millis.parse().ok());
                let sent_at = sent_at.map_or_else(Timestamp::now, Timestamp::from_millis);
                match deliverer.first_try(&first_try, sent_at).await {
                    Ok(_) => return true,
                    Err(error) => error.to_string(),
                }
            }
            Ok(Content::Retry(retry)) => {
                let retried = deliverer.retry(&retry, deadline).await;
                summary::retry_line(&retry, &retried).write();
                return true;
            }
            Err(error) => format!("the message cannot be read: {error}"),
        };
        Line::error("webhook: a message failed")
            .with("message_id", &message.message_id)
            .with("error", error)
            .write();
        false
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;
    use ecommpay::fields::ProjectId;
    use lambda_runtime::Context;
    use payments::model::webhook::{
        Endpoint, EndpointId, EndpointKey, EndpointOwner, EndpointUrl, LoopbackHosts,
        RetrySchedule, SecretVersions,
    };
    use payments::ports::DeliveryStore;
    use payments::service::webhook::Webhooks;
    use serde_json::{Value, json};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use wire::{TABLE, WEBHOOK_DELIVERIES, WEBHOOK_ENDPOINTS, Wire};

    use super::*;

    const RETRIES: &str = "https://queues.example/retries.fifo";

    struct System {
        wire: Wire,
        delivery: Delivery,
        listener: TcpListener,
        key: EndpointKey,
    }

    impl System {
        /// Creates a function, an endpoint on this machine, and the first event of a payment.
        async fn start() -> Self {
            let wire = Wire::start().await.unwrap();
            wire.set_secret_of("webhook", &"m".repeat(32));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let store = DynamoStore::new(wire.config(), TABLE);
            let delivery = Delivery {
                webhooks: Webhooks {
                    endpoints: store.webhook_endpoints(WEBHOOK_ENDPOINTS, LoopbackHosts::Allowed),
                    deliveries: store.webhook_deliveries(WEBHOOK_DELIVERIES),
                    clock: SystemClock,
                    schedule: RetrySchedule::default(),
                },
                payments: store,
                sender: WebhookHttp::new(LoopbackHosts::Allowed).unwrap(),
                retries: SqsDeliveryQueue::new(wire.config(), RETRIES),
                secret: CachedWebhookSecret::new(wire.config(), "webhook"),
            };
            let key = EndpointKey {
                owner: EndpointOwner {
                    project_id: ProjectId::new(211).unwrap(),
                    storefront: "shop".into(),
                },
                id: EndpointId::new("ep_1").unwrap(),
            };
            let url = format!("http://{}/events", listener.local_addr().unwrap());
            let endpoint = Endpoint {
                key: key.clone(),
                url: EndpointUrl::parse(&url, LoopbackHosts::Allowed).unwrap(),
                types: [].into(),
                secrets: SecretVersions::FIRST,
                created_at: Timestamp::now(),
            };
            assert!(delivery.webhooks.endpoints.add(&endpoint).await.unwrap());
            let text = |value: &str| AttributeValue::S(value.into());
            let client = aws_sdk_dynamodb::Client::new(wire.config());
            let event = client
                .put_item()
                .table_name(TABLE)
                .item("pk", text("payment#211/order-1"))
                .item("sk", text("event#0000000001"))
                .item("kind", text("payment.created"))
                .item(
                    "content",
                    text(r#"{"data":{"payment_id":"Order-1"},"time":"2019-07-02T09:28:20Z"}"#),
                );
            event.send().await.unwrap();
            Self {
                wire,
                delivery,
                listener,
                key,
            }
        }

        /// Handles a message. The endpoint answers a delivery with this status. Returns the response, and the request that
        /// the endpoint received.
        async fn handle(&self, body: &Value, status: u16) -> (Value, String) {
            let sent_at = Timestamp::now().unix_millis().to_string();
            let batch = json!({ "Records": [{
                "messageId": "a", "body": body.to_string(), "attributes": { "SentTimestamp": sent_at },
            }]});
            let mut context = Context::default();
            let in_a_minute = Timestamp::now()
                .after(Duration::from_secs(60))
                .unix_millis();
            context.deadline = u64::try_from(in_a_minute).unwrap();
            let event = LambdaEvent::new(serde_json::from_value(batch).unwrap(), context);
            let answer = async {
                let (mut connection, _) = self.listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !String::from_utf8_lossy(&request).contains("\"Order-1\"}}") {
                    connection.read_buf(&mut request).await.unwrap();
                }
                let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n");
                connection.write_all(answer.as_bytes()).await.unwrap();
                String::from_utf8(request).unwrap()
            };
            let handled = self.delivery.handle(event);
            let (failures, request) = tokio::join!(handled, answer);
            (json!(failures.unwrap()), request)
        }
    }

    fn first_try() -> Value {
        json!({
            "kind": "first_try", "project_id": 211, "storefront": "shop", "endpoint": "ep_1",
            "payment_id": "order-1", "sequence": 1,
        })
    }

    #[tokio::test]
    async fn a_first_try_posts_the_signed_event_and_writes_nothing() {
        let system = System::start().await;
        let before = system.wire.calls().len();
        let (failures, request) = system.handle(&first_try(), 204).await;
        assert_eq!(failures, json!({ "batchItemFailures": [] }));
        assert!(
            request.starts_with("POST /events HTTP/1.1\r\n"),
            "{request}"
        );
        for part in [
            "webhook-id: ",
            "webhook-timestamp: ",
            "webhook-signature: v1,",
            "\"id\":\"211/Order-1/1\"",
        ] {
            assert!(request.contains(part), "{request}");
        }
        let mut calls = system.wire.calls().split_off(before);
        calls.sort_unstable();
        assert_eq!(
            calls,
            ["GetItem", "GetItem", "GetItem", "GetSecretValue", "Query"]
        );
    }

    #[tokio::test]
    async fn a_failed_first_try_waits_in_the_table_and_its_message_is_deleted() {
        let system = System::start().await;
        let (failures, _) = system.handle(&first_try(), 500).await;
        assert_eq!(failures, json!({ "batchItemFailures": [] }));
        let payment = payments::PaymentKey::from_text("211/order-1").unwrap();
        let deliveries = &system.delivery.webhooks.deliveries;
        let item = deliveries
            .backlog(&system.key.id, &payment)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((item.next, item.through, item.failures), (1, 1, 1));
        let mut retry = system.wire.sent(RETRIES).remove(0);
        assert_eq!(retry["payments"], json!(["order-1"]));
        // The retry is not due yet. With a due item, it delivers the event.
        let due = payments::model::webhook::Backlog {
            due: Timestamp::now(),
            version: item.version + 1,
            ..item.clone()
        };
        let replaced =
            deliveries.replace_backlog(&system.key.id, &payment, Some(&item), Some(&due));
        replaced.await.unwrap();
        retry["until"] = json!(Timestamp::now().after(Duration::from_secs(60)));
        let (failures, _) = system.handle(&retry, 200).await;
        assert_eq!(failures, json!({ "batchItemFailures": [] }));
        assert_eq!(
            deliveries.backlog(&system.key.id, &payment).await.unwrap(),
            None
        );
    }

    #[tokio::test]
    async fn a_message_that_cannot_be_read_stays_in_the_queue() {
        let system = System::start().await;
        let batch = json!({ "Records": [{ "messageId": "a", "body": r#"{"kind":"later"}"# }] });
        let event = LambdaEvent::new(serde_json::from_value(batch).unwrap(), Context::default());
        let failures = system.delivery.handle(event).await.unwrap();
        assert_eq!(
            json!(failures),
            json!({ "batchItemFailures": [{ "itemIdentifier": "a" }] })
        );
    }
}
