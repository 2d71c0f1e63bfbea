//! Tests deliveries to endpoints on this machine.

use anyhow::ensure;
use e2e::endpoint::{Received, TestEndpoint, stores};
use e2e::lambda::invoke;
use e2e::queue::{sequences, types};
use e2e::system::{System, accelerated};
use e2e::{eventually, until_matching};
use payments::ports::DeliveryStore;
use sandbox::Options;
use serde_json::Value;

#[tokio::test]
async fn an_endpoint_receives_signed_events_in_order_and_a_failed_one_again() -> anyhow::Result<()>
{
    let system = System::start(Options {
        webhooks: true,
        ..accelerated()
    })
    .await?;
    let endpoint = TestEndpoint::start(system.ready(), "shop-1").await?;
    every_event_is_posted_once_and_signed(&system, &endpoint).await?;
    a_failed_event_and_the_next_ones_arrive_later(&system, &endpoint).await?;
    let log = system.log().await?;
    ensure!(log.contains("\"endpoint\":\"shop-1\""), "{log}");
    // The path and the query of an endpoint can contain a secret.
    ensure!(!log.contains("shop=1"), "a log line has the URL");
    for queue in ["webhook", "webhookdelivery", "webhookretry"] {
        let queue = system.queue(queue)?;
        queue.until_empty().await?;
        let dead_letters = queue.dead_letters().await?;
        ensure!(dead_letters.counts().await? == (0, 0));
    }
    system.stop().await;
    Ok(())
}

async fn every_event_is_posted_once_and_signed(
    system: &System,
    endpoint: &TestEndpoint,
) -> anyhow::Result<()> {
    system.create_paid("order-1").await?;
    let posted = endpoint.until("order-1", "payment.succeeded").await?;
    let audit = system.queue("audit")?;
    let sent = audit.until("order-1", "payment.succeeded").await?;
    ensure!(posted == sent, "{posted:#?}");
    for request in &endpoint.received() {
        endpoint.ensure_signed(request).await?;
        let content_type = request.headers.get("content-type").map(String::as_str);
        ensure!(content_type == Some("application/cloudevents+json"));
    }
    Ok(())
}

async fn a_failed_event_and_the_next_ones_arrive_later(
    system: &System,
    endpoint: &TestEndpoint,
) -> anyhow::Result<()> {
    endpoint.answer(500);
    let checkout = system.storefront.create("order-2").await?;
    let is_first = |event: &Value| event["subject"] == "order-2" && event["data"]["sequence"] == 1;
    eventually("a failed try", async || {
        let received = endpoint.received();
        let events: Vec<Value> = received
            .iter()
            .map(Received::event)
            .collect::<Result<_, _>>()?;
        Ok(events.iter().any(is_first).then_some(()))
    })
    .await?;
    endpoint.answer(204);
    system.pay(&checkout).await?;
    let mut posted = endpoint.until("order-2", "payment.succeeded").await?;
    let arrived = sequences(&posted);
    ensure!(arrived.starts_with(&[1, 1]), "{arrived:?}");
    posted.dedup_by_key(|event| event["id"].clone());
    ensure!(sequences(&posted).is_sorted(), "{:?}", types(&posted));
    // The last retry deletes the item of the payment.
    let deliveries = stores(system.ready())?.deliveries;
    let id = &endpoint.endpoint.key.id;
    eventually("the end of the backlog", async || {
        let waiting = deliveries.waiting(id, 1).await?;
        Ok(waiting.is_empty().then_some(()))
    })
    .await?;
    let handed_out = async || invoke(&system.sandbox, "webhookrouter").await;
    let is_idle = |run: &Value| run["payments"] == 0 && run["failed"] == 0 && run["endpoints"] == 1;
    until_matching("a run without work", handed_out, is_idle).await?;
    Ok(())
}
