//! Tests differences between our payments and the platform's records.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::ensure;
use e2e::permissions::Permissions;
use e2e::system::System;
use e2e::{ensure_contains, until_matching};
use payments::Timestamp;
use sandbox::Options;
use serde_json::{Value, json};

/// Another system creates this payment at the platform.
const EXTERNAL: &str = "external payment, 1";

#[tokio::test]
async fn each_difference_is_emitted_once_and_corrected_by_a_status_poll() -> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let storefront = &system.storefront;
    // Without the permission to query its index, the sweeper cannot poll before the comparison.
    let sweeper = Permissions::of(&system.sandbox, "sweeper").await?;
    sweeper.revoke("/index/next").await?;
    create_differences(&system).await?;

    let first = compare(&system).await?;
    ensure!(counts(&first) == [2, 1, 1, 1], "{first}");
    ensure!(first["compared"] == 6, "{first}");
    let audit = system.queue("audit")?;
    ensure_published(&audit.until_all(&differing()).await?)?;
    let again = compare(&system).await?;
    ensure!(counts(&again) == [0; 4], "{again}");

    sweeper.restore().await?;
    let is_idle = |swept: &Value| swept["polled"]["found"] == 0 && swept["polled"]["failed"] == 0;
    system.sweep_until("a sweep without polls", is_idle).await?;
    let behind = storefront.until("behind", "partially_refunded").await?;
    ensure_contains(&behind, json!({ "refunded_amount": 400 }))?;
    storefront.until("lost", "succeeded").await?;
    // At this time, the worker can still be busy with the last answers.
    let read = async || storefront.payment(EXTERNAL).await;
    let is_declined = |external: &Value| external["operations"][0]["status"] == "declined";
    let external = until_matching("the declined operation", read, is_declined).await?;
    ensure_contains(&external, json!({ "status": "unmatched" }))?;
    for payment in ["same", "unlisted", "other"] {
        let payment = storefront.payment(payment).await?;
        let unchanged = json!({ "status": "succeeded", "paid_amount": 1000 });
        ensure_contains(&payment, unchanged)?;
    }

    let corrected = compare(&system).await?;
    ensure!(counts(&corrected) == [0; 4], "{corrected}");
    for queue in [audit, system.queue("fulfilment")?] {
        let events = queue.drain().await?;
        ensure!(differences(&events).is_empty(), "{events:?}");
    }
    system.stop().await;
    Ok(())
}

/// Creates six payments. Five of them differ from the platform's records.
async fn create_differences(system: &System) -> anyhow::Result<()> {
    let simulator = &system.simulator;
    for payment in ["same", "behind", "unlisted", "other"] {
        system.create_paid(payment).await?;
    }
    simulator.drop_callbacks("behind").await?;
    let refund = json!({ "amount": 400 });
    simulator.refund("behind", refund).await?;
    let bank_page = system.bank_page("lost").await?;
    simulator.drop_callbacks("lost").await?;
    system.shopper.press(&bank_page, "pay").await?;
    simulator.drop_callbacks(EXTERNAL).await?;
    // The platform declines this sale, because its amount is too small.
    system.send_external_sale(EXTERNAL, 50).await?;
    for (payment, kind, status) in [
        ("behind", "refund", "success"),
        ("lost", "sale", "success"),
        (EXTERNAL, "sale", "decline"),
    ] {
        let has_operation = |records: &Value| {
            let mut operations = records["operations"].as_array().into_iter().flatten();
            operations.any(|operation| operation["type"] == kind && operation["status"] == status)
        };
        simulator.until_records(payment, has_operation).await?;
    }
    let unlisted = json!({ "unlisted": ["sale"] });
    simulator.set_faults("unlisted", unlisted).await?;
    let other = json!({ "listed_amount": 900 });
    simulator.set_faults("other", other).await
}

/// Compares the last half hour.
async fn compare(system: &System) -> anyhow::Result<Value> {
    let from = Timestamp::now().before(Duration::from_secs(1_800));
    let answer = system.reconcile(from).await?;
    ensure_contains(&answer, json!({ "failure": null, "has_ended": true }))?;
    Ok(answer)
}

/// Returns the number of differences by kind.
fn counts(result: &Value) -> [u64; 4] {
    ["missing_locally", "missing_at_platform", "status", "amount"]
        .map(|kind| result[kind].as_u64().unwrap_or(u64::MAX))
}

fn differing() -> [(&'static str, &'static str); 5] {
    ["behind", "unlisted", "other", "lost", EXTERNAL]
        .map(|payment| (payment, "reconciliation.difference"))
}

/// Returns the published differences by payment.
fn differences(events: &[Value]) -> BTreeMap<&str, Vec<&Value>> {
    let mut found = BTreeMap::<&str, Vec<&Value>>::new();
    for event in events {
        if event["type"] == "reconciliation.difference" {
            let payment = event["subject"].as_str().unwrap_or_default();
            let difference = &event["data"]["difference"];
            found.entry(payment).or_default().push(difference);
        }
    }
    found
}

fn ensure_published(events: &[Value]) -> anyhow::Result<()> {
    let found = differences(events);
    let expected = [
        (
            "lost",
            json!({ "kind": "status", "local": "awaiting redirect result", "platform": "success" }),
        ),
        (
            "other",
            json!({ "kind": "amount", "local": 1000, "platform": 900 }),
        ),
        ("behind", json!({ "kind": "missing_locally" })),
        (EXTERNAL, json!({ "kind": "missing_locally" })),
        ("unlisted", json!({ "kind": "missing_at_platform" })),
    ];
    for (payment, difference) in expected {
        ensure!(found[payment].len() == 1, "{payment}: {found:?}");
        ensure_contains(found[payment][0], difference)?;
    }
    Ok(())
}
