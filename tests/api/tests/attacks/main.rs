//! Tests the requests of careless or hostile callers. A refused request writes nothing and sends nothing to the
//! platform.
#![allow(clippy::indexing_slicing)]

mod access;
mod bodies;
mod events;
mod fields;

use anyhow::ensure;
use api::{Answer, Api, PAYMENT, order};
use serde_json::{Value, json};

fn refund() -> Value {
    let mut refund = api::refund("r-1");
    refund["customer"] = json!({ "ip_address": "192.0.2.10" });
    refund
}

/// Creates and pays a payment.
async fn paid() -> anyhow::Result<Api> {
    let api = Api::start().await?;
    api.checkout(&order(PAYMENT)).await?;
    api.report("sale_success.json").await?;
    Ok(api)
}

/// Checks that a request is refused, writes nothing, and sends nothing to Gate.
async fn refused(
    api: &Api,
    what: &str,
    attack: impl Future<Output = anyhow::Result<Answer>>,
) -> anyhow::Result<Answer> {
    let sent = api.gate.requests().len();
    api.wire.forget();
    let answer = attack.await?;
    ensure!((400..500).contains(&answer.status), "{what}: {answer:?}");
    ensure!(api.gate.requests().len() == sent, "{what} reached Gate");
    ensure!(!api.has_written(), "{what}: {:?}", api.wire.calls());
    Ok(answer)
}
