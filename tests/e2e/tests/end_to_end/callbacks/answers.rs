//! Tests the answers to all callbacks of the collection, and to bodies of unusual type, size or depth.

use anyhow::{Context, ensure};
use e2e::ensure_contains;
use e2e::system::System;
use sandbox::Options;
use serde_json::{Value, json};

use crate::callbacks::collection::{PAYMENT, body, index};

#[tokio::test]
async fn a_callback_is_accepted_only_if_it_is_valid_and_an_unknown_payment_is_stored_as_unmatched()
-> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let entries = index()?;
    ensure!(entries.len() == 81, "{} bodies", entries.len());
    let mut wrong = Vec::new();
    for entry in &entries {
        let file = entry["file"].as_str().context("An entry has no file")?;
        let status = system.post_callback(body(file)?).await?;
        let expected = expected_status(entry);
        if status != expected {
            wrong.push(format!("{file}: {status} instead of {expected}"));
        }
    }
    ensure!(wrong.is_empty(), "{wrong:#?}");

    // API Gateway encodes a body of this content type in base64.
    let other = "application/octet-stream";
    for (file, expected) in [
        ("sale_success.json", 200),
        ("invalid_tampered_amount.json", 401),
    ] {
        let status = system.post_callback_as(other, body(file)?).await?;
        ensure!(status == expected, "{file}: {status}");
    }
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(256 * 1024));
    ensure!(system.post_callback(large).await? == 413);
    let deep = "[".repeat(40) + &"]".repeat(40);
    ensure!(system.post_callback(deep).await? == 400);

    let payment = system.storefront.payment(PAYMENT).await?;
    ensure_contains(&payment, json!({ "status": "unmatched" }))?;
    let order = system.storefront.order(PAYMENT);
    system.storefront.post("/checkouts", &order, 409).await?;
    system.stop().await;
    Ok(())
}

/// Returns the status that a callback must be answered with.
fn expected_status(entry: &Value) -> u16 {
    if entry["own_project"] == false {
        return 403;
    }
    if entry["valid"] == true {
        return 200;
    }
    match entry["file"].as_str() {
        Some(
            "invalid_bad_utf8.json"
            | "invalid_duplicate_key.json"
            | "invalid_empty_body.json"
            | "invalid_not_json.json"
            | "invalid_trailing_comma.json",
        ) => 400,
        _ => 401,
    }
}
