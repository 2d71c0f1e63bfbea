//! Tests the next attempt after Gate refused a sale, or after a callback reported that a sale failed.

use anyhow::ensure;
use e2e::ensure_contains;
use e2e::system::System;
use sandbox::Options;
use serde_json::{Value, json};

use crate::gate::requests::{once, pay_once, post, post_in_parallel};

#[tokio::test]
async fn a_refused_payment_gets_one_new_attempt_when_it_is_requested_again() -> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let simulator = &system.simulator;
    simulator.set_faults("refused", once("error_400")).await?;
    let problem = post(&system, "refused", 422).await?;
    let kind = problem["type"].as_str().unwrap_or_default();
    ensure!(kind.ends_with("platform-refused"), "{problem}");
    ensure!(problem.to_string().contains("502"), "{problem}");
    let failed = system.storefront.payment("refused").await?;
    ensure_contains(&failed, json!({ "status": "failed" }))?;
    let records = simulator.records("refused").await?;
    ensure!(records["status"].is_null(), "{records}");

    simulator.set_faults("refused", json!({})).await?;
    let checkout = post_in_parallel(&system, "refused", 10).await?;
    let sales = simulator.request_count("refused", "sale").await?;
    ensure!(sales == 2, "{sales} sales were sent");
    pay_once(&system, "refused", &checkout).await?;
    system.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_late_error_of_a_failed_attempt_does_not_change_the_next_attempt() -> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let (storefront, simulator) = (&system.storefront, &system.simulator);
    let error = json!({ "sale_error": true });
    simulator.set_faults("again", error).await?;
    let first = post(&system, "again", 201).await?;
    storefront.until("again", "failed").await?;
    let records = simulator.records("again").await?;
    let request_id = &records["operations"][0]["request_id"];
    ensure!(request_id.is_string(), "{records}");

    simulator.set_faults("again", json!({})).await?;
    let second = post(&system, "again", 201).await?;
    ensure!(first["checkout_url"] != second["checkout_url"], "{second}");
    post_error(&system, "again", request_id).await?;
    storefront.until("again", "awaiting_customer").await?;
    post_error(&system, "again", request_id).await?;
    let payment = storefront.payment("again").await?;
    ensure_contains(&payment, json!({ "status": "awaiting_customer" }))?;
    pay_once(&system, "again", &second).await?;

    post_error(&system, "again", request_id).await?;
    let payment = storefront.payment("again").await?;
    ensure_contains(&payment, json!({ "status": "succeeded" }))?;
    system.stop().await;
    Ok(())
}

/// Posts a callback that reports the failure of the request `request_id`.
async fn post_error(system: &System, payment_id: &str, request_id: &Value) -> anyhow::Result<()> {
    let message = json!({
        "project_id": system.ready().project_id,
        "payment": { "id": payment_id, "status": "error" },
        "operation": { "type": "sale", "status": "error", "request_id": request_id },
        "errors": [{ "code": "501", "message": "Internal error" }],
    });
    system.post_signed(&message, 200).await
}
