//! Tests the amounts of full and partial refunds, and repeated requests.

use anyhow::ensure;
use e2e::ensure_contains;
use e2e::storefront::{full_refund, partial_refund, pointers};
use e2e::system::System;
use sandbox::Options;
use serde_json::{Value, json};

use crate::refunds::steps::{ensure_events_match, platform_refunds, until_refunded};

#[tokio::test]
async fn a_refund_is_made_once_and_refused_when_it_exceeds_the_remaining_amount()
-> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    partial_refunds_and_the_remaining_amount(&system).await?;
    a_full_refund(&system).await?;
    ensure_events_match(&system, 2).await?;
    system.stop().await;
    Ok(())
}

async fn partial_refunds_and_the_remaining_amount(system: &System) -> anyhow::Result<()> {
    let storefront = &system.storefront;
    system.create_paid("parts").await?;
    let too_much = partial_refund("r-0", 1001);
    storefront.post_refund("parts", &too_much, 422).await?;
    let invalid = json!({ "refund_id": "r 0", "amount": 1 });
    let problem = storefront.post_refund("parts", &invalid, 400).await?;
    let expected = ["/refund_id", "/description", "/currency"];
    ensure!(pointers(&problem) == expected, "{problem}");

    let first = partial_refund("r-1", 300);
    storefront.post_refund("parts", &first, 202).await?;
    let same = partial_refund("R-1", 300);
    let repeated = storefront.post_refund("PARTS", &same, 202).await?;
    ensure_contains(&repeated, json!({ "refund_id": "r-1" }))?;
    let other_amount = partial_refund("r-1", 301);
    storefront.post_refund("parts", &other_amount, 409).await?;

    let at_the_platform = json!({ "amount": 200 });
    system.simulator.refund("parts", at_the_platform).await?;
    until_refunded(system, "parts", 500).await?;
    let rest = full_refund("r-2");
    let rest = storefront.post_refund("parts", &rest, 202).await?;
    ensure_contains(&rest, json!({ "amount": 500 }))?;
    let refunded = until_refunded(system, "parts", 1000).await?;
    let expected = json!({ "status": "refunded", "refundable_amount": 0 });
    ensure_contains(&refunded, expected)?;
    let refunds = refunded["refunds"].as_array().into_iter().flatten();
    let mut ids = refunds.map(|refund| &refund["refund_id"]);
    ensure!(ids.any(Value::is_null), "{refunded}");

    let nothing_left = partial_refund("r-3", 1);
    storefront.post_refund("parts", &nothing_left, 409).await?;
    let repeated = storefront.post_refund("parts", &same, 202).await?;
    ensure_contains(&repeated, json!({ "status": "succeeded" }))?;
    let shown = storefront.get("/payments/parts/refunds/R-2", 200).await?;
    ensure_contains(&shown, json!({ "status": "succeeded" }))?;
    let requests = system.simulator.request_count("parts", "refund").await?;
    ensure!(requests == 2, "{requests} refunds were sent");
    Ok(())
}

async fn a_full_refund(system: &System) -> anyhow::Result<()> {
    let storefront = &system.storefront;
    system.create_paid("full").await?;
    let full = full_refund("r-1");
    let amount = json!({ "amount": 1000 });
    let refund = storefront.post_refund("full", &full, 202).await?;
    ensure_contains(&refund, amount.clone())?;
    until_refunded(system, "full", 1000).await?;
    let repeated = storefront.post_refund("full", &full, 202).await?;
    ensure_contains(&repeated, amount)?;
    let refunds = platform_refunds(system, "full").await?;
    ensure!(refunds.len() == 1, "{refunds:?}");
    Ok(())
}
