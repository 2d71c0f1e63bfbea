//! Contains the steps that refund tests share.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use e2e::ensure_contains;
use e2e::system::System;
use serde_json::{Value, json};

/// Waits until a payment has this refunded amount and no pending refund. The platform's records must then have the same
/// amount.
pub async fn until_refunded(
    system: &System,
    payment_id: &str,
    amount: u64,
) -> anyhow::Result<Value> {
    let is_refunded = |payment: &Value| {
        payment["refunded_amount"] == amount && payment["pending_refund_amount"] == 0
    };
    let storefront = &system.storefront;
    let payment = storefront.until_matching(payment_id, is_refunded).await?;
    let records = system.simulator.records(payment_id).await?;
    ensure_contains(&records, json!({ "refunded": amount }))?;
    Ok(payment)
}

/// Returns the refunds in the platform's records.
pub async fn platform_refunds(system: &System, payment_id: &str) -> anyhow::Result<Vec<Value>> {
    let mut records = system.simulator.records(payment_id).await?;
    let operations = records["operations"].as_array_mut();
    let mut refunds =
        std::mem::take(operations.context("the platform's records have no operations")?);
    refunds.retain(|operation| operation["type"] != "sale");
    Ok(refunds)
}

/// Checks that the sums of the events in `fulfilment` equal the amounts of each payment. `payments` is the expected
/// number of payments.
pub async fn ensure_events_match(system: &System, payments: usize) -> anyhow::Result<()> {
    let mut totals = BTreeMap::<String, (Value, BTreeMap<String, u64>)>::new();
    for event in system.queue("fulfilment")?.drain().await? {
        let payment_id = event["subject"]
            .as_str()
            .context("an event has no subject")?;
        let (paid, refunds) = totals.entry(payment_id.to_owned()).or_default();
        match event["type"].as_str() {
            Some("payment.succeeded") => *paid = event["data"]["operation"]["amount"].clone(),
            Some("refund.succeeded") => {
                let refund = &event["data"]["refund"];
                let operation = refund["operation_id"]
                    .as_str()
                    .context("a refund has no operation")?;
                let amount = refund["amount"]
                    .as_u64()
                    .context("a refund has no amount")?;
                refunds.insert(operation.to_owned(), amount);
            }
            _ => {}
        }
    }
    ensure!(totals.len() == payments, "{totals:?}");
    for (payment_id, (paid, refunds)) in &totals {
        let payment = system.storefront.payment(payment_id).await?;
        let refunded: u64 = refunds.values().sum();
        let amounts = json!({ "paid_amount": paid, "refunded_amount": refunded });
        ensure_contains(&payment, amounts)?;
    }
    Ok(())
}
