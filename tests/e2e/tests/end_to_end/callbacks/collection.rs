//! Reads the callback collection `tests/data/callbacks`.

use anyhow::Context;
use e2e::system::System;
use serde_json::{Value, json};

/// The id of the payment to which most callbacks of the collection belong.
pub const PAYMENT: &str = "ECT_TEST_1562051806691899";

/// The `request_id` of the sale in most callbacks of the collection.
pub const REQUEST_ID: &str = "7e08d48c4f5da3692b65e5426f44ed36896e569c";

/// Returns a file of `tests/data/callbacks`.
pub fn body(file: &str) -> anyhow::Result<Vec<u8>> {
    let path = tools::root().join("tests/data/callbacks").join(file);
    std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))
}

/// Creates the payment of the collection. The simulated platform sends no callbacks about this payment.
pub async fn create(system: &System) -> anyhow::Result<()> {
    let faults = json!({ "drop": true, "sale_request_id": REQUEST_ID });
    system.simulator.set_faults(PAYMENT, faults).await?;
    system.storefront.create(PAYMENT).await?;
    Ok(())
}

/// Returns the entries of the index, one for each file.
pub fn index() -> anyhow::Result<Vec<Value>> {
    let mut index: Value = serde_json::from_slice(&body("index.json")?)?;
    let entries = index["callbacks"].as_array_mut();
    Ok(std::mem::take(
        entries.context("the index has no list of callbacks")?,
    ))
}
