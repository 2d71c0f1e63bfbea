//! Routes the events of a batch, or hands out the due retries.

use std::time::Duration;

use aws::deadline::deadline;
use aws::delivery_queue::SqsDeliveryQueue;
use aws::environment::{Environment, LiveWebhooks};
use aws::messages::{Batch, Failures, Message};
use aws::prewarm;
use lambda_runtime::{Error, LambdaEvent};
use payments::PaymentKey;
use payments::log::{Line, Metric};
use payments::service::webhook::RoutedEvent;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::summary;

/// A run stops this long before the function's time-out.
const RESERVE: Duration = Duration::from_secs(5);

pub struct Router {
    webhooks: LiveWebhooks,
    first_tries: SqsDeliveryQueue,
    retries: SqsDeliveryQueue,
}

/// The part of a CloudEvent that names the event.
#[derive(Deserialize)]
struct Named {
    id: String,
    #[serde(rename = "type")]
    kind: String,
}

impl Router {
    pub fn from_environment() -> Result<Self, Error> {
        let environment = Environment::load()?;
        Ok(Self {
            webhooks: environment.webhooks()?,
            first_tries: environment.first_tries_queue()?,
            retries: environment.retries_queue()?,
        })
    }

    /// Opens a connection to the tables before the first event.
    pub async fn prewarm(&self) {
        prewarm::within_limit(self.webhooks.endpoints.prewarm()).await;
    }

    /// Routes a batch of events, or hands out retries if the schedule has started the function.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Error> {
        let LambdaEvent { payload, context } = event;
        if payload.get("Records").is_some() {
            let batch: Batch = serde_json::from_value(payload)?;
            return Ok(json!(self.route(&batch).await));
        }
        let deadline = deadline(&context, RESERVE);
        let run = self.webhooks.hand_out(&self.retries, deadline).await;
        summary::line(&run).write();
        Ok(json!(run))
    }

    /// Returns the messages that were not routed. A message that cannot be read stays in the queue, and with it all later
    /// messages of its payment, so that the order does not change.
    async fn route(&self, batch: &Batch) -> Failures {
        let mut failures = Failures::default();
        let (mut events, mut messages, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
        for message in &batch.messages {
            let group = message.attribute("MessageGroupId");
            let event = read(message).filter(|_| !unreadable.contains(&group));
            match event {
                Some(event) => {
                    events.push(event);
                    messages.push(message);
                }
                None => {
                    unreadable.push(group);
                    failures.add(message);
                    Line::error("webhook: the message of an event cannot be read")
                        .with("message_id", &message.message_id)
                        .write();
                }
            }
        }
        let (failed, failure) = self.webhooks.route(&events, &self.first_tries).await;
        for (number, message) in messages.into_iter().enumerate() {
            if failed.contains(&number) {
                failures.add(message);
            }
        }
        if !failed.is_empty() {
            let count = Metric {
                value: failed.len() as u64,
                ..Metric::once("webhook_routes_failed")
            };
            Line::error("webhook: some events were not routed")
                .with("failure", failure)
                .with_metrics(&[], &[count])
                .write();
        }
        failures
    }
}

/// Returns `None` if the message cannot be read.
fn read(message: &Message) -> Option<RoutedEvent> {
    let named: Named = serde_json::from_str(&message.body).ok()?;
    let (payment, sequence) = named.id.rsplit_once('/')?;
    let storefront = message.message_attributes.get("storefront");
    Some(RoutedEvent {
        payment: PaymentKey::from_text(payment)?,
        storefront: storefront.and_then(|attribute| attribute.string_value.clone()),
        sequence: sequence.parse().ok()?,
        kind: named.kind,
        deduplication_id: message.attribute("MessageDeduplicationId")?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use aws::dynamodb::DynamoStore;
    use ecommpay::fields::ProjectId;
    use lambda_runtime::Context;
    use payments::Timestamp;
    use payments::model::webhook::{
        Backlog, Endpoint, EndpointId, EndpointKey, EndpointOwner, EndpointUrl, LoopbackHosts,
        RetrySchedule, SecretVersions,
    };
    use payments::ports::{DeliveryStore, SystemClock};
    use payments::service::webhook::Webhooks;
    use wire::{TABLE, WEBHOOK_DELIVERIES, WEBHOOK_ENDPOINTS, Wire};

    use super::*;

    const FIRST_TRIES: &str = "https://queues.example/deliveries.fifo";
    const RETRIES: &str = "https://queues.example/retries.fifo";

    /// Creates a router of the storefront `shop`, which has the endpoint `ep_1`.
    async fn router(wire: &Wire) -> (Router, EndpointKey) {
        let store = DynamoStore::new(wire.config(), TABLE);
        let router = Router {
            webhooks: Webhooks {
                endpoints: store.webhook_endpoints(WEBHOOK_ENDPOINTS, LoopbackHosts::Refused),
                deliveries: store.webhook_deliveries(WEBHOOK_DELIVERIES),
                clock: SystemClock,
                schedule: RetrySchedule::default(),
            },
            first_tries: SqsDeliveryQueue::new(wire.config(), FIRST_TRIES),
            retries: SqsDeliveryQueue::new(wire.config(), RETRIES),
        };
        let key = EndpointKey {
            owner: EndpointOwner {
                project_id: ProjectId::new(211).unwrap(),
                storefront: "shop".into(),
            },
            id: EndpointId::new("ep_1").unwrap(),
        };
        let endpoint = Endpoint {
            key: key.clone(),
            url: EndpointUrl::parse("https://shop.example/", LoopbackHosts::Refused).unwrap(),
            types: ["payment.succeeded".to_owned()].into(),
            secrets: SecretVersions::FIRST,
            created_at: Timestamp::now(),
        };
        assert!(router.webhooks.endpoints.add(&endpoint).await.unwrap());
        (router, key)
    }

    fn record(id: &str, event: &str, kind: &str, storefront: Option<&str>) -> Value {
        let mut record = json!({
            "messageId": id, "receiptHandle": "r",
            "body": json!({ "specversion": "1.0", "id": event, "type": kind, "data": {} }).to_string(),
            "attributes": {
                "MessageGroupId": event.rsplit_once('/').map_or("?", |(payment, _)| payment),
                "MessageDeduplicationId": format!("d-{event}"), "SentTimestamp": "1562059700123",
            },
            "messageAttributes": { "type": { "stringValue": kind, "dataType": "String" } },
            "eventSource": "aws:sqs", "eventSourceARN": "arn", "awsRegion": "eu-west-1",
        });
        if let Some(storefront) = storefront {
            record["messageAttributes"]["storefront"] =
                json!({ "stringValue": storefront, "dataType": "String" });
        }
        record
    }

    async fn handle(router: &Router, event: Value) -> Value {
        let event = LambdaEvent::new(event, Context::default());
        router.handle(event).await.unwrap()
    }

    #[tokio::test]
    async fn a_batch_of_events_becomes_messages_for_the_endpoints_of_their_storefronts() {
        let wire = Wire::start().await.unwrap();
        let (router, _) = router(&wire).await;
        let batch = json!({ "Records": [
            record("a", "211/Order/1/3", "payment.succeeded", Some("shop")),
            record("b", "211/Order/1/4", "refund.succeeded", Some("shop")),
            record("c", "211/order-2/1", "payment.succeeded", Some("other")),
            record("d", "211/order-3/1", "payment.succeeded", None),
        ]});
        let failures = handle(&router, batch).await;
        assert_eq!(failures, json!({ "batchItemFailures": [] }));
        let sent = wire.sent(FIRST_TRIES);
        let expected = json!({
            "kind": "first_try", "project_id": 211, "storefront": "shop", "endpoint": "ep_1",
            "payment_id": "order/1", "sequence": 3,
        });
        assert_eq!(sent, [expected]);
    }

    #[tokio::test]
    async fn the_later_messages_of_a_payment_stay_behind_one_that_cannot_be_read_or_sent() {
        let wire = Wire::start().await.unwrap();
        let (router, _) = router(&wire).await;
        let mut unreadable = record("a", "211/order-1/1", "payment.succeeded", Some("shop"));
        unreadable["body"] = json!("{");
        let batch = json!({ "Records": [
            unreadable,
            record("b", "211/order-2/1", "payment.succeeded", Some("shop")),
            record("c", "211/order-1/2", "payment.succeeded", Some("shop")),
        ]});
        let failed = |ids: &[&str]| {
            let failures = ids.iter().map(|id| json!({ "itemIdentifier": id }));
            json!({ "batchItemFailures": failures.collect::<Vec<_>>() })
        };
        assert_eq!(handle(&router, batch.clone()).await, failed(&["a", "c"]));
        assert_eq!(wire.sent(FIRST_TRIES).len(), 1);
        wire.break_queue(FIRST_TRIES);
        assert_eq!(handle(&router, batch).await, failed(&["a", "c", "b"]));
    }

    #[tokio::test]
    async fn the_schedule_hands_out_due_retries() {
        let wire = Wire::start().await.unwrap();
        let (router, key) = router(&wire).await;
        let now = Timestamp::now();
        let deliveries = &router.webhooks.deliveries;
        let payment = PaymentKey::from_text("211/order-1").unwrap();
        let item = Backlog::of(3, 5, now);
        let put = deliveries.replace_backlog(&key.id, &payment, None, Some(&item));
        put.await.unwrap();
        deliveries.list(&key, now).await.unwrap();
        let mut context = Context::default();
        let in_a_minute = now.after(Duration::from_secs(60)).unix_millis();
        context.deadline = u64::try_from(in_a_minute).unwrap();
        let event = LambdaEvent::new(json!({ "source": "aws.scheduler" }), context);
        let run = router.handle(event).await.unwrap();
        assert_eq!(
            (&run["payments"], &run["endpoints"]),
            (&json!(1), &json!(1))
        );
        let sent = wire.sent(RETRIES);
        assert_eq!(sent[0]["payments"], json!(["order-1"]));
        assert_eq!(sent[0]["action"], "deliver");
    }
}
