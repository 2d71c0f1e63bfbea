//! Tests hints: callbacks whose signature is also valid for another body, because a value contains a separator.

use anyhow::ensure;
use e2e::ensure_contains;
use e2e::system::System;
use sandbox::Options;
use serde_json::json;

#[tokio::test]
async fn a_hint_changes_no_payment_and_the_next_sweep_polls_the_platform() -> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let bank_page = system.bank_page("hinted").await?;
    system.simulator.drop_callbacks("hinted").await?;
    system.shopper.press(&bank_page, "pay").await?;

    for payment_id in ["hinted", "unknown payment"] {
        let hint = json!({
            "project_id": system.ready().project_id,
            "payment": { "id": payment_id, "description": "x;payment:status:success" },
        });
        system.post_signed(&hint, 200).await?;
    }
    let payment = system.storefront.payment("hinted").await?;
    ensure_contains(&payment, json!({ "status": "awaiting_customer" }))?;
    let swept = system.sweep().await?;
    ensure!(swept["polled"]["failed"] == 0, "{swept}");
    let payment = system.storefront.until("hinted", "succeeded").await?;
    ensure_contains(&payment, json!({ "paid_amount": 1000 }))?;
    let fulfilment = system.queue("fulfilment")?;
    fulfilment.until("hinted", "payment.succeeded").await?;
    system.stop().await;
    Ok(())
}
