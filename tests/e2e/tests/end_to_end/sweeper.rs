//! Events that could not be sent when they were committed.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::eventually;
use e2e::operator::{Permissions, invoke};
use e2e::queue::Queue;
use e2e::shopper::Shopper;
use e2e::simulator::Simulator;
use e2e::storefront::Storefront;
use ecommpay::json::{self, Limits};
use ecommpay::{ProjectKey, signature};
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
    simulator: Simulator,
}

impl Test {
    async fn start() -> anyhow::Result<Self> {
        let sandbox = Sandbox::start(Options::any_ports()).await?;
        Ok(Self {
            http: Client::builder().no_proxy().build()?,
            simulator: Simulator::new(sandbox.ready())?,
            sandbox,
        })
    }

    async fn post(&self, file: &str) -> anyhow::Result<StatusCode> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../data/callbacks");
        let body = std::fs::read(folder.join(file)).with_context(|| file.to_owned())?;
        self.post_body(body).await
    }

    async fn post_signed(&self, message: &Value) -> anyhow::Result<StatusCode> {
        let key = ProjectKey::new(&self.sandbox.ready().project_key)?;
        let text = message.to_string();
        let parsed = json::parse(text.as_bytes(), Limits::CALLBACK)?;
        let mut signed = message.clone();
        signed["signature"] = json!(key.sign(&signature::canonical(&parsed)).to_base64());
        self.post_body(signed.to_string().into_bytes()).await
    }

    async fn post_body(&self, body: Vec<u8>) -> anyhow::Result<StatusCode> {
        let url = format!("{}/callbacks", self.sandbox.ready().api);
        Ok(self.http.post(url).body(body).send().await?.status())
    }
}

#[tokio::test]
async fn what_no_queue_took_is_sent_later_in_order() -> anyhow::Result<()> {
    let test = Test::start().await?;
    test.simulator.keep_quiet_about(PAYMENT).await?;
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

/// The callback of a success never comes. What comes is a body that could stand for another one,
/// which is no fact, but a reason to ask; and something about a payment that was made elsewhere.
#[tokio::test]
async fn what_a_hint_speaks_of_is_asked_about() -> anyhow::Result<()> {
    let test = Test::start().await?;
    let storefront = Storefront::new(test.sandbox.ready())?;
    let shopper = Shopper::new()?;
    let checkout = storefront.create("hinted").await?;
    let checkout = checkout["checkout_url"].as_str().context("no address")?;
    let bank = shopper.bank_of(checkout).await?;
    test.simulator.keep_quiet_about("hinted").await?;
    shopper.push(&bank, "pay").await?;

    let hint = |payment_id: &str| {
        json!({
            "project_id": test.sandbox.ready().project_id,
            "payment": { "id": payment_id, "description": "x;payment:status:success" },
        })
    };
    for payment_id in ["hinted", "never heard of"] {
        ensure!(test.post_signed(&hint(payment_id)).await? == StatusCode::OK);
    }
    let payment = storefront.payment("hinted").await?;
    ensure!(payment["status"] == "awaiting_customer", "{payment}");
    let asked = &invoke(&test.sandbox, "sweeper").await?["asked"];
    ensure!(asked["failed"] == 0, "{asked}");
    let payment = storefront.until("hinted", "succeeded").await?;
    ensure!(payment["paid_amount"] == 1000, "{payment}");
    let events = Queue::new(test.sandbox.ready(), "fulfilment")?;
    events.until("hinted", "payment.succeeded").await?;
    test.sandbox.stop().await;
    Ok(())
}
