//! Tests checkouts that expire before the shopper pays.

use std::time::Duration;

use anyhow::ensure;
use e2e::ensure_contains;
use e2e::queue::types;
use e2e::storefront::checkout_url;
use e2e::system::System;
use sandbox::Options;
use serde_json::json;
use tokio::time::sleep;

const LIFETIME: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_payment_made_after_the_checkout_expired_succeeds_with_a_late_event() -> anyhow::Result<()>
{
    let system = System::start(Options::any_ports()).await?;
    let shopper = &system.shopper;
    let fulfilment = system.queue("fulfilment")?;
    let short = json!({ "expires_in": LIFETIME.as_secs(), "language": "en" });
    let checkout = system.storefront.create_with("late", short).await?;
    let bank_page = shopper.bank_page(&checkout).await?;
    sleep(LIFETIME).await;
    let status = shopper.checkout_status(&checkout).await?;
    let expected = json!({ "status": "awaiting_customer", "final": true, "checkout": "expired" });
    ensure!(status == expected, "{status}");
    let page = checkout_url(&checkout)?;
    shopper.page_with(page, 410, "has expired").await?;
    system.sweep().await?;
    let events = fulfilment.until("late", "checkout.expired").await?;
    ensure!(types(&events) == ["checkout.expired"], "{events:?}");

    shopper.press(&bank_page, "pay").await?;
    let paid = system.storefront.until("late", "succeeded").await?;
    ensure_contains(&paid, json!({ "checkout": "expired" }))?;
    let events = fulfilment.until("late", "payment.succeeded").await?;
    let late = json!({ "data": { "late": true } });
    ensure_contains(&events[events.len() - 1], late)?;
    let status = shopper.checkout_status(&checkout).await?;
    ensure_contains(&status, json!({ "status": "succeeded" }))?;
    system.stop().await;
    Ok(())
}
