//! Tests refunds that the platform reverses.

use e2e::ensure_contains;
use e2e::storefront::full_refund;
use e2e::system::System;
use sandbox::Options;
use serde_json::json;

#[tokio::test]
async fn a_returned_refund_frees_its_amount_for_a_refund_with_another_id() -> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let storefront = &system.storefront;
    system.create_paid("returned").await?;
    let first = full_refund("r-1");
    storefront.post_refund("returned", &first, 202).await?;
    let refunded = storefront.until("returned", "refunded").await?;
    let refund = &refunded["refunds"][0];
    system.simulator.reverse_refund("returned", refund).await?;
    let paid = storefront.until("returned", "succeeded").await?;
    let amounts = json!({ "refunded_amount": 0, "refundable_amount": 1000 });
    ensure_contains(&paid, amounts)?;
    let returned = json!({ "status": "returned", "returned_amount": 1000 });
    ensure_contains(&paid["refunds"][0], returned)?;
    let fulfilment = system.queue("fulfilment")?;
    let events = fulfilment.until("returned", "refund.returned").await?;
    let refund = json!({ "data": { "refund": { "refund_id": "r-1" } } });
    ensure_contains(&events[events.len() - 1], refund)?;

    let same = storefront.post_refund("returned", &first, 202).await?;
    ensure_contains(&same, json!({ "status": "returned" }))?;
    let second = full_refund("r-2");
    let second = storefront.post_refund("returned", &second, 202).await?;
    ensure_contains(&second, json!({ "amount": 1000 }))?;
    storefront.until("returned", "refunded").await?;
    system.stop().await;
    Ok(())
}
