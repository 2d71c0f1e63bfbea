//! Reads the callback collection `tests/data/callbacks`.

use anyhow::Context;
use serde_json::Value;

/// The id of the payment to which most callbacks of the collection belong.
pub const PAYMENT: &str = "ECT_TEST_1562051806691899";

/// Returns a file of `tests/data/callbacks`.
pub fn body(file: &str) -> anyhow::Result<Vec<u8>> {
    let path = tools::root().join("tests/data/callbacks").join(file);
    std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))
}

/// Returns the entries of the index, one for each file.
pub fn index() -> anyhow::Result<Vec<Value>> {
    let mut index: Value = serde_json::from_slice(&body("index.json")?)?;
    let entries = index["callbacks"].as_array_mut();
    Ok(std::mem::take(
        entries.context("the index has no list of callbacks")?,
    ))
}
