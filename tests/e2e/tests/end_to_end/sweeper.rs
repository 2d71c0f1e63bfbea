//! Events that could not be sent when they were committed.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::eventually;
use e2e::operator::Permissions;
use e2e::queue::Queue;
use e2e::stage::Stage;
use reqwest::StatusCode;
use sandbox::Options;
use serde_json::{Value, json};

/// The payment of the corpus.
const PAYMENT: &str = "ECT_TEST_1562051806691899";
/// Longer than the sandbox's grace time.
const GRACE: Duration = Duration::from_millis(2_500);

async fn post(stage: &Stage, file: &str) -> anyhow::Result<StatusCode> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../data/callbacks");
    let body = std::fs::read(folder.join(file)).with_context(|| file.to_owned())?;
    stage.callback(body).await
}

#[tokio::test]
async fn what_no_queue_took_is_sent_later_in_order() -> anyhow::Result<()> {
    let stage = Stage::start(Options::any_ports()).await?;
    stage.simulator.keep_quiet_about(PAYMENT).await?;
    stage.storefront.create(PAYMENT).await?;

    let callback = Permissions::of(&stage.sandbox, "callback").await?;
    let sweeper = Permissions::of(&stage.sandbox, "sweeper").await?;
    for permissions in [&callback, &sweeper] {
        permissions.take("sqs:SendMessage").await?;
    }
    for file in [
        "redirect_get.json",
        "sale_success.json",
        "refund_partial_1.json",
    ] {
        let status = post(&stage, file).await?;
        ensure!(
            status == StatusCode::INTERNAL_SERVER_ERROR,
            "{file} was answered {status}, but nothing was announced"
        );
    }
    let payment = stage.storefront.payment(PAYMENT).await?;
    ensure!(payment["status"] == "partially_refunded", "{payment}");
    let last = payment["sequence"].as_u64().context("no number")?;

    tokio::time::sleep(GRACE).await;
    let run = &stage.sweep().await?["outbox"];
    ensure!(run["found"] == 1 && run["failed"] == 1, "{run}");
    let failure = run["failure"].as_str().unwrap_or_default();
    ensure!(failure.contains("AccessDenied"), "{failure}");
    ensure!(run["oldest_s"].as_u64() >= Some(2), "{run}");

    for permissions in [&callback, &sweeper] {
        permissions.give_back().await?;
    }
    // The schedule's own run may have been faster.
    eventually("an empty index", || async {
        let run = stage.sweep().await?;
        Ok((run["outbox"]["found"] == 0).then_some(()))
    })
    .await?;
    let events = Queue::new(stage.sandbox.ready(), "audit")?;
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
    ensure!(post(&stage, "refund_partial_1.json").await? == StatusCode::OK);
    let log = e2e::logs::of_functions(&stage.sandbox).await?;
    ensure!(
        log.contains("\"message\":\"sweep: some failed\"") && log.contains("sweep: done"),
        "the sweeper's lines are missing"
    );
    stage.sandbox.stop().await;
    Ok(())
}

/// The callback of a success never comes. What comes is a body that could stand for another one,
/// which is no fact, but a reason to ask; and something about a payment that was made elsewhere.
#[tokio::test]
async fn what_a_hint_speaks_of_is_asked_about() -> anyhow::Result<()> {
    let stage = Stage::start(Options::any_ports()).await?;
    let checkout = stage.storefront.create("hinted").await?;
    let checkout = checkout["checkout_url"].as_str().context("no address")?;
    let bank = stage.shopper.bank_of(checkout).await?;
    stage.simulator.keep_quiet_about("hinted").await?;
    stage.shopper.push(&bank, "pay").await?;

    let hint = |payment_id: &str| {
        json!({
            "project_id": stage.sandbox.ready().project_id,
            "payment": { "id": payment_id, "description": "x;payment:status:success" },
        })
    };
    for payment_id in ["hinted", "never heard of"] {
        stage.report(&hint(payment_id), StatusCode::OK).await?;
    }
    let payment = stage.storefront.payment("hinted").await?;
    ensure!(payment["status"] == "awaiting_customer", "{payment}");
    let asked = &stage.sweep().await?["polled"];
    ensure!(asked["failed"] == 0, "{asked}");
    let payment = stage.storefront.until("hinted", "succeeded").await?;
    ensure!(payment["paid_amount"] == 1000, "{payment}");
    let events = Queue::new(stage.sandbox.ready(), "fulfilment")?;
    events.until("hinted", "payment.succeeded").await?;
    stage.sandbox.stop().await;
    Ok(())
}
