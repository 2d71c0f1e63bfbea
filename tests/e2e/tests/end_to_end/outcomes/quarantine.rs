//! Tests a payment whose sum differs from the order.

use anyhow::ensure;
use e2e::ensure_contains;
use e2e::storefront::checkout_url;
use e2e::system::System;
use sandbox::Options;
use serde_json::json;

#[tokio::test]
async fn a_payment_is_quarantined_when_its_sum_differs_from_the_order() -> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let wrong = json!({ "wrong_amount": 900 });
    system.simulator.set_faults("differs", wrong).await?;
    let checkout = system.storefront.create("differs").await?;
    system.shopper.pay(&checkout).await?;
    let payment = system.storefront.until("differs", "quarantined").await?;
    ensure_contains(&payment, json!({ "paid_amount": 900 }))?;
    let reasons = payment["quarantine"].as_array().map(Vec::len);
    ensure!(reasons == Some(1), "{payment}");
    let reason = json!({ "reason": "amount_differs", "ordered": { "amount": 1000 } });
    ensure_contains(&payment["quarantine"][0], reason)?;
    let page = checkout_url(&checkout)?;
    system.shopper.page_with(page, 200, "being checked").await?;
    system.stop().await;
    Ok(())
}
