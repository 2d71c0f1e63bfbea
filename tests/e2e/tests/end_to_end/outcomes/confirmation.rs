//! Tests the platform's confirmation procedure.

use std::time::Duration;

use anyhow::ensure;
use e2e::ensure_contains;
use e2e::queue::types;
use e2e::storefront::checkout_url;
use e2e::system::System;
use sandbox::Options;
use serde_json::{Value, json};
use tokio::time::sleep;

/// Creates a paid payment that awaits its confirmation.
async fn awaiting_confirmation(system: &System, payment_id: &str) -> anyhow::Result<Value> {
    let System {
        storefront,
        shopper,
        simulator,
        ..
    } = system;
    let faults = json!({ "confirmation": { "result": "none" } });
    simulator.set_faults(payment_id, faults).await?;
    let english = json!({ "language": "en" });
    let checkout = storefront.create_with(payment_id, english).await?;
    let return_url = shopper.pay(&checkout).await?;
    let waiting = storefront
        .until(payment_id, "awaiting_confirmation")
        .await?;
    let nothing = json!({ "paid_amount": 0, "refundable_amount": 0 });
    ensure_contains(&waiting, nothing)?;
    let status = shopper.checkout_status(&checkout).await?;
    let expected = json!({ "status": "awaiting_confirmation", "final": true, "checkout": "done" });
    ensure!(status == expected, "{status}");
    let page = checkout_url(&checkout)?;
    shopper.page_with(page, 200, "is being checked").await?;
    let shop = shopper.follow(&return_url).await?;
    let end = format!("payment_id={payment_id}");
    ensure!(shop.ends_with(&end), "{shop}");
    Ok(checkout)
}

#[tokio::test]
async fn a_payment_succeeds_only_when_the_platform_confirms_its_money() -> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let (storefront, simulator) = (&system.storefront, &system.simulator);
    let fulfilment = system.queue("fulfilment")?;

    let checkout = awaiting_confirmation(&system, "credited").await?;
    simulator.confirm("credited", "credit").await?;
    let paid = storefront.until("credited", "succeeded").await?;
    ensure_contains(&paid, json!({ "paid_amount": 1000 }))?;
    let events = fulfilment.until("credited", "payment.succeeded").await?;
    let expected = ["payment.awaiting_confirmation", "payment.succeeded"];
    ensure!(types(&events) == expected, "{events:?}");
    let status = system.shopper.checkout_status(&checkout).await?;
    ensure_contains(&status, json!({ "status": "succeeded" }))?;

    let checkout = awaiting_confirmation(&system, "not-credited").await?;
    simulator.confirm("not-credited", "decline").await?;
    let declined = storefront.until("not-credited", "declined").await?;
    ensure_contains(&declined, json!({ "paid_amount": 0 }))?;
    let events = fulfilment.until("not-credited", "payment.declined").await?;
    let expected = ["payment.awaiting_confirmation", "payment.declined"];
    ensure!(types(&events) == expected, "{events:?}");
    ensure!(events[1]["data"]["corrects"].is_null(), "{events:?}");
    let page = checkout_url(&checkout)?;
    system.shopper.page_with(page, 200, "was declined").await?;
    system.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_success_is_corrected_when_the_platform_declines_its_confirmation_later()
-> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let fulfilment = system.queue("fulfilment")?;
    awaiting_confirmation(&system, "corrected").await?;
    system.simulator.confirm("corrected", "credit").await?;
    fulfilment.until("corrected", "payment.succeeded").await?;

    // The platform's dates have whole seconds, and the decline must have a later date than the success.
    sleep(Duration::from_secs(1)).await;
    system.simulator.confirm("corrected", "decline").await?;
    let declined = system.storefront.until("corrected", "declined").await?;
    ensure_contains(&declined, json!({ "paid_amount": 0 }))?;
    let events = fulfilment.until("corrected", "payment.declined").await?;
    let corrects = json!({ "data": { "corrects": "payment.succeeded" } });
    ensure_contains(&events[events.len() - 1], corrects)?;
    system.stop().await;
    Ok(())
}
