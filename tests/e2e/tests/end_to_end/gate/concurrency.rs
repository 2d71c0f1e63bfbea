//! Tests equal checkout requests in parallel.

use e2e::ensure_contains;
use e2e::system::System;
use sandbox::Options;
use serde_json::json;

use crate::gate::requests::{pay_once, post_in_parallel};

#[tokio::test]
async fn fifty_parallel_checkout_requests_create_one_checkout_and_send_one_sale()
-> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let checkout = post_in_parallel(&system, "parallel", 50).await?;
    let records = system.simulator.records("parallel").await?;
    ensure_contains(&records, json!({ "requests": { "sale": 1 } }))?;
    pay_once(&system, "parallel", &checkout).await?;
    system.stop().await;
    Ok(())
}
