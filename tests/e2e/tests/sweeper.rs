//! Events that could not be sent when they were committed.
#![allow(clippy::indexing_slicing)]

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::eventually;
use e2e::operator::{Permissions, invoke};
use e2e::queue::Queue;
use e2e::storefront::Storefront;
use reqwest::{Client, StatusCode};
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};

/// The payment of the corpus.
const PAYMENT: &str = "ECT_TEST_1562051806691899";
/// Longer than the sandbox's grace time.
const GRACE: Duration = Duration::from_millis(2_500);

struct Test {
    sandbox: Sandbox,
    http: Client,
}

impl Test {
    async fn start() -> anyhow::Result<Self> {
        Ok(Self {
            sandbox: Sandbox::start(Options::any_ports()).await?,
            http: Client::builder().no_proxy().build()?,
        })
    }

    /// Lets the simulated platform send no callbacks of its own.
    async fn keep_platform_quiet(&self) -> anyhow::Result<()> {
        let platform = &self.sandbox.ready().platform;
        let url = format!("{platform}/simulator/payments/{PAYMENT}/faults");
        let faults = self.http.put(url).json(&json!({ "drop": true }));
        let status = faults.send().await?.status();
        ensure!(status.is_success(), "{status}");
        Ok(())
    }

    async fn post(&self, file: &str) -> anyhow::Result<StatusCode> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../data/callbacks");
        let body = std::fs::read(folder.join(file)).with_context(|| file.to_owned())?;
        let url = format!("{}/callbacks", self.sandbox.ready().api);
        Ok(self.http.post(url).body(body).send().await?.status())
    }
}

#[tokio::test]
async fn what_no_queue_took_is_sent_later_in_order() -> anyhow::Result<()> {
    let test = Test::start().await?;
    test.keep_platform_quiet().await?;
    let storefront = Storefront::new(test.sandbox.ready())?;
    storefront.create(PAYMENT).await?;

    let callback = Permissions::of(&test.sandbox, "callback").await?;
    let sweeper = Permissions::of(&test.sandbox, "sweeper").await?;
    for permissions in [&callback, &sweeper] {
        permissions.take("sqs:SendMessage").await?;
    }
    for file in [
        "redirect_get.json",
        "sale_success.json",
        "refund_partial_1.json",
    ] {
        let status = test.post(file).await?;
        ensure!(
            status == StatusCode::INTERNAL_SERVER_ERROR,
            "{file} was answered {status}, but nothing was announced"
        );
    }
    let payment = storefront.payment(PAYMENT).await?;
    ensure!(payment["status"] == "partially_refunded", "{payment}");
    let last = payment["sequence"].as_u64().context("no number")?;

    tokio::time::sleep(GRACE).await;
    let run = &invoke(&test.sandbox, "sweeper").await?["unsent"];
    ensure!(run["found"] == 1 && run["failed"] == 1, "{run}");
    let failure = run["failure"].as_str().unwrap_or_default();
    ensure!(failure.contains("AccessDenied"), "{failure}");
    ensure!(run["oldest_s"].as_u64() >= Some(2), "{run}");

    for permissions in [&callback, &sweeper] {
        permissions.give_back().await?;
    }
    // The schedule's own run may have been faster.
    eventually("an empty index", || async {
        let run = invoke(&test.sandbox, "sweeper").await?;
        Ok((run["unsent"]["found"] == 0).then_some(()))
    })
    .await?;
    let events = Queue::new(test.sandbox.ready(), "audit")?;
    let events = events.until(PAYMENT, "refund.succeeded").await?;
    let numbers: Vec<u64> = events
        .iter()
        .filter_map(|event| event["data"]["sequence"].as_u64())
        .collect();
    ensure!(numbers == Vec::from_iter(1..=last), "{numbers:?} of {last}");
    let kinds: Vec<&Value> = events.iter().map(|event| &event["type"]).collect();
    ensure!(
        kinds[1] == "payment.awaiting_customer" && kinds[2] == "payment.succeeded",
        "{kinds:?}"
    );

    // The platform's repeats end now.
    ensure!(test.post("refund_partial_1.json").await? == StatusCode::OK);
    let log = e2e::logs::of_functions(&test.sandbox).await?;
    ensure!(
        log.contains("\"message\":\"sweep: some failed\"") && log.contains("sweep: done"),
        "the sweeper's lines are missing"
    );
    test.sandbox.stop().await;
    Ok(())
}
