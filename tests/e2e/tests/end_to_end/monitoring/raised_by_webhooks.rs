//! For each alarm on a metric of webhooks, creates the condition that the alarm detects, as `raised_metrics` does for
//! all other alarms.

use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::aws_call::call;
use e2e::endpoint::{TestEndpoint, endpoint, stores};
use e2e::lambda::invoke;
use e2e::permissions::Permissions;
use e2e::system::{System, with_parameters};
use e2e::{eventually, logs, until_matching};
use payments::Timestamp;
use payments::ports::DeliveryStore;
use sandbox::Options;
use serde_json::{Value, json};

use crate::monitoring::metric::Metric;

const ALARMS: [&str; 3] = ["endpoint-failing", "webhook-dead-letters", "webhook-runs"];

#[tokio::test]
async fn the_condition_of_each_alarm_of_webhooks_raises_the_metric_that_the_alarm_watches()
-> anyhow::Result<()> {
    let system = System::start(Options {
        webhooks: true,
        // An event is given up after two tries.
        ..with_parameters([("WebhookDelays", "0.1")])
    })
    .await?;
    let failing = TestEndpoint::start(system.ready(), "failing").await?;
    failing.answer(500);
    system.storefront.create("given-up").await?;
    an_endpoint_that_fails_for_a_day(&system).await?;
    a_run_that_fails(&system).await?;

    let alarms = call(&system.sandbox, "cloudwatch", "describe_alarms", &json!({})).await?;
    let alarms = alarms["MetricAlarms"].as_array().context("no alarms")?;
    for name in ALARMS {
        let is_named = |alarm: &&Value| alarm["AlarmName"] == format!("sandbox-{name}");
        let alarm = alarms.iter().find(is_named);
        let metric = Metric::of(alarm.with_context(|| format!("there is no alarm {name}"))?)?;
        eventually(name, async || {
            let lines = logs::json_lines(&system.sandbox).await?;
            Ok(lines.iter().any(|line| metric.is_in(line)).then_some(()))
        })
        .await?;
    }
    system.stop().await;
    Ok(())
}

async fn an_endpoint_that_fails_for_a_day(system: &System) -> anyhow::Result<()> {
    let stores = stores(system.ready())?;
    let failing = endpoint(system.ready(), "failing-a-day", "http://127.0.0.1:1/")?;
    ensure!(stores.endpoints.add(&failing).await?);
    let now = Timestamp::now();
    let yesterday = now.before(Duration::from_secs(25 * 3_600));
    let id = &failing.key.id;
    stores.deliveries.count_failure(id, yesterday).await?;
    stores.deliveries.list(&failing.key, now).await?;
    invoke(&system.sandbox, "webhookrouter").await?;
    Ok(())
}

async fn a_run_that_fails(system: &System) -> anyhow::Result<()> {
    let router = Permissions::of(&system.sandbox, "webhookrouter").await?;
    router.revoke("/index/due").await?;
    let run = async || invoke(&system.sandbox, "webhookrouter").await;
    let has_failed = |run: &Value| run["failed"].as_u64() > Some(0);
    until_matching("a failed run", run, has_failed).await?;
    router.restore().await
}
