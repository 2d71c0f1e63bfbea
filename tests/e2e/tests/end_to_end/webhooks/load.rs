//! Tests many events for two endpoints of one storefront, of which one fails.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use aws::config::QueueConfig;
use aws::dynamodb::DynamoStore;
use aws::sqs::SqsQueue;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use e2e::endpoint::{TestEndpoint, stores};
use e2e::lambda::invoke;
use e2e::queue::sequences;
use e2e::system::{System, with_parameters};
use e2e::{account, eventually};
use ecommpay::fields::ProjectId;
use futures_util::future::try_join_all;
use payments::PaymentKey;
use payments::events::Event;
use payments::ports::{DeliveryStore, EventQueue, PaymentStore};
use sandbox::Options;
use serde_json::{Value, json};

const STOREFRONT: &str = "load";

/// Returns the number of payments, and the number of events of each. The local AWS makes one first try at a time, so the
/// 1,000 events of a long test take minutes.
fn size() -> (usize, u64) {
    match std::env::var_os("LONG") {
        Some(_) => (100, 10),
        None => (20, 6),
    }
}

#[tokio::test]
async fn an_endpoint_gets_all_events_in_order_while_the_events_of_a_failing_one_wait_outside_of_the_queue()
-> anyhow::Result<()> {
    // The breaker opens before an event has failed 30 times. With the last delay, no event is given up while it is open.
    let delays = format!("{}86400", "0.1,".repeat(30));
    let system = System::start(Options {
        webhooks: true,
        ..with_parameters([("WebhookDelays", &delays)])
    })
    .await?;
    let good = TestEndpoint::start_of(system.ready(), STOREFRONT, "good").await?;
    let bad = TestEndpoint::start_of(system.ready(), STOREFRONT, "bad").await?;
    bad.answer(500);
    send(&system, events(&system).await?).await?;

    until_all(&system, &good).await?;
    for queue in ["webhook", "webhookdelivery", "webhookretry"] {
        system.queue(queue)?.until_empty().await?;
    }
    let deliveries = stores(system.ready())?.deliveries;
    let (payments, _) = size();
    eventually("the backlog of the failing endpoint", async || {
        let waiting = deliveries.waiting(&bad.endpoint.key.id, 2 * payments);
        Ok((waiting.await?.len() == payments).then_some(()))
    })
    .await?;

    bad.answer(204);
    until_all(&system, &bad).await?;
    system.stop().await;
    Ok(())
}

/// Creates events in the table. They have the content of a real event.
async fn events(system: &System) -> anyhow::Result<Vec<Vec<Event>>> {
    let ready = system.ready();
    system.storefront.create("pattern").await?;
    let project = ProjectId::new(ready.project_id.into())?;
    let key = PaymentKey::new(project, "pattern");
    let store = DynamoStore::new(&account(ready), ready.table.clone());
    let read = store.events(&key, 1, 1).await?;
    let pattern = read.into_iter().next().context("there is no event")?;
    let content: Value = serde_json::from_str(&pattern.stored)?;
    let event = |payment: usize, sequence: u64| {
        let id = format!("load-{payment}");
        let mut content = content.clone();
        content["data"]["payment_id"] = json!(id);
        content["data"]["sequence"] = json!(sequence);
        let key = PaymentKey::new(project, &id);
        Event::from_stored(key, sequence, pattern.kind, &content.to_string())
    };
    let (payments, count) = size();
    let of_payment = |payment| {
        (1..=count)
            .map(|sequence| event(payment, sequence))
            .collect()
    };
    let all = (0..payments).map(of_payment);
    let all: Vec<Vec<Event>> = all.collect::<Result<_, _>>()?;
    let client = Client::new(&account(ready));
    for some in all.concat().chunks(25) {
        let writes = some.iter().map(write).collect::<anyhow::Result<_>>()?;
        let request = client
            .batch_write_item()
            .request_items(&ready.table, writes);
        request.send().await?;
    }
    Ok(all)
}

fn write(event: &Event) -> anyhow::Result<WriteRequest> {
    let item = PutRequest::builder()
        .item("pk", AttributeValue::S(format!("payment#{}", event.key)))
        .item(
            "sk",
            AttributeValue::S(format!("event#{:010}", event.sequence)),
        )
        .item("kind", AttributeValue::S(event.kind.as_str().to_owned()))
        .item("content", AttributeValue::S(event.stored.clone()))
        .build()?;
    Ok(WriteRequest::builder().put_request(item).build())
}

/// Sends the events to the queue of webhooks as the functions do: in order within each payment.
async fn send(system: &System, all: Vec<Vec<Event>>) -> anyhow::Result<()> {
    let url = system.ready().queues.get("webhook").context("no queue")?;
    let config = QueueConfig {
        url: url.clone(),
        types: None,
    };
    let queues = SqsQueue::all(&account(system.ready()), vec![config]);
    let queue = queues.first().context("no queue")?;
    try_join_all(all.iter().map(async |events| {
        for event in events {
            queue.send(event, Some(STOREFRONT), None).await?;
        }
        anyhow::Ok(())
    }))
    .await?;
    Ok(())
}

/// Waits until the endpoint has accepted all events, and hands out retries while no event arrives. Checks that the first
/// arrivals of the events of each payment are in order.
async fn until_all(system: &System, endpoint: &TestEndpoint) -> anyhow::Result<()> {
    let (payments, of_each) = size();
    let count = payments * usize::try_from(of_each)?;
    let accepted = || {
        let mut received = endpoint.received();
        received.retain(|request| request.status == Some(204));
        received
    };
    let ids = || {
        let accepted = accepted();
        let ids = accepted
            .iter()
            .filter_map(|request| request.headers.get("webhook-id"));
        ids.collect::<BTreeSet<_>>().len()
    };
    let mut arrived = ids();
    while arrived < count {
        arrived = eventually("the arrival of a further event", async || {
            let now = ids();
            if now == arrived {
                invoke(&system.sandbox, "webhookrouter").await?;
            }
            Ok((now > arrived).then_some(now))
        })
        .await?;
    }
    let mut of_payments: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for request in accepted() {
        let event = request.event()?;
        if seen.insert(event["id"].to_string()) {
            let subject = event["subject"].to_string();
            of_payments.entry(subject).or_default().push(event);
        }
    }
    ensure!(of_payments.len() == payments);
    for events in of_payments.values() {
        let expected: Vec<u64> = (1..=of_each).collect();
        ensure!(sequences(events) == expected, "{events:?}");
    }
    Ok(())
}
