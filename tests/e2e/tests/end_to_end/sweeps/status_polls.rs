//! Tests payments without callbacks. Status polls must find each result. All delays are divided by 3,600.

use anyhow::{Context, ensure};
use e2e::storefront::partial_refund;
use e2e::system::{System, accelerated};
use e2e::{ensure_contains, eventually};
use serde_json::{Value, json};

#[tokio::test]
async fn status_polls_find_the_outcome_of_every_payment_without_callbacks() -> anyhow::Result<()> {
    let system = System::start(accelerated()).await?;
    payments_and_refunds(&system).await?;
    sales_without_an_answer(&system).await?;
    unused_links(&system).await?;
    no_poll_is_left(&system).await?;
    let log = system.log().await?;
    for metric in [
        "checkouts",
        "paid",
        "declined",
        "refunded",
        "failed",
        "sales_without_callback",
    ] {
        let counted = format!("\"{metric}\":1");
        ensure!(log.contains(&counted), "{metric} is not counted");
    }
    system.stop().await;
    Ok(())
}

/// Creates a checkout about which the platform sends no callbacks.
async fn create(system: &System, payment_id: &str, mut faults: Value) -> anyhow::Result<()> {
    faults["drop"] = json!(true);
    system.simulator.set_faults(payment_id, faults).await?;
    system.storefront.create(payment_id).await?;
    Ok(())
}

/// Presses a button of the bank page, and sweeps until the payment has this status.
async fn settle(
    system: &System,
    payment_id: &str,
    button: &str,
    status: &str,
) -> anyhow::Result<()> {
    let bank_page = system.simulator.bank_page(payment_id).await?;
    system.shopper.press(&bank_page, button).await?;
    system
        .sweep_until_payment(payment_id, |payment| payment["status"] == status)
        .await?;
    Ok(())
}

async fn payments_and_refunds(system: &System) -> anyhow::Result<()> {
    for (payment_id, button, status) in [
        ("paid", "pay", "succeeded"),
        ("declined", "decline", "declined"),
    ] {
        create(system, payment_id, json!({})).await?;
        settle(system, payment_id, button, status).await?;
    }
    let refund = partial_refund("r-1", 400);
    system.storefront.post_refund("paid", &refund, 202).await?;
    let payment = system
        .sweep_until_payment("paid", |payment| payment["refunded_amount"] == 400)
        .await?;
    ensure_contains(&payment, json!({ "status": "partially_refunded" }))?;
    ensure_contains(&payment["refunds"][0], json!({ "status": "succeeded" }))?;
    let fulfilment = system.queue("fulfilment")?;
    fulfilment.until("paid", "refund.succeeded").await?;
    Ok(())
}

/// Creates a payment whose sale request is lost, and a payment for which Gate's answer is lost. Each payment must be
/// paid once.
async fn sales_without_an_answer(system: &System) -> anyhow::Result<()> {
    for (payment_id, answer, sales) in [("lost", "lost", 2), ("cut", "cut", 1)] {
        let once = json!({ "answer": answer, "answer_times": 1 });
        create(system, payment_id, once).await?;
        let payment = system.storefront.payment(payment_id).await?;
        ensure_contains(&payment, json!({ "status": "processing" }))?;
        eventually("the arrival of the sale", async || {
            system.sweep().await?;
            let records = system.simulator.records(payment_id).await?;
            Ok(records["status"].is_string().then_some(()))
        })
        .await?;
        settle(system, payment_id, "pay", "succeeded").await?;
        let records = system.simulator.records(payment_id).await?;
        let expected = json!({ "paid": 1000, "requests": { "sale": sales } });
        ensure_contains(&records, expected)?;
    }
    Ok(())
}

/// Creates a Payment Page link that no shopper uses, and a sale that the platform never receives. Both payments must
/// fail when their checkouts have expired.
async fn unused_links(system: &System) -> anyhow::Result<()> {
    for (payment_id, channel) in [("unused", "payment_page"), ("never", "gate")] {
        let lost = json!({ "drop": true, "answer": "lost" });
        system.simulator.set_faults(payment_id, lost).await?;
        let fields = json!({ "channel": channel, "expires_in": 2 });
        system.storefront.create_with(payment_id, fields).await?;
        let failed = system
            .sweep_until_payment(payment_id, |payment| payment["status"] == "failed")
            .await?;
        let expired = json!({ "decline": { "code": "expired" } });
        ensure_contains(&failed, expired.clone())?;
        let events = system.queue("audit")?;
        let events = events.until(payment_id, "payment.failed").await?;
        ensure_contains(
            &events.last().context("the payment has no event")?["data"],
            expired,
        )?;
    }
    Ok(())
}

async fn no_poll_is_left(system: &System) -> anyhow::Result<()> {
    let swept = system.sweep().await?;
    let none = json!({ "polled": { "found": 0 }, "overdue": { "found": 0 } });
    ensure_contains(&swept, none)
}
