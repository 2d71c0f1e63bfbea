//! Tests refunds for which the platform requests data.

use anyhow::ensure;
use e2e::storefront::partial_refund;
use e2e::system::System;
use e2e::{ensure_contains, eventually};
use sandbox::Options;
use serde_json::json;

#[tokio::test]
async fn a_refund_that_awaits_a_clarification_succeeds_after_a_valid_clarification()
-> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let storefront = &system.storefront;
    system.create_paid("asks").await?;
    let asking = json!({ "refund_clarification": { "account": ["number"] } });
    system.simulator.set_faults("asks", asking).await?;
    let refund = partial_refund("r-1", 400);
    storefront.post_refund("asks", &refund, 202).await?;
    let path = "/payments/asks/refunds/r-1";
    let asked = eventually("the platform's request for data", async || {
        let refund = storefront.get(path, 200).await?;
        let is_asked = refund["clarification_fields"] != json!([]);
        Ok(is_asked.then_some(refund))
    })
    .await?;
    let fields = json!(["account.number"]);
    let fields = json!({ "clarification_fields": fields, "clarification_required": fields });
    ensure_contains(&asked, fields)?;

    let path = format!("{path}/clarification");
    let valid = json!({ "account": { "number": "BE68539007547034" } });
    for (body, expected) in [
        (json!({ "customer": { "last_name": "Janssens" } }), 400),
        (json!({}), 400),
        (valid.clone(), 202),
        (valid, 409),
    ] {
        storefront.post(&path, &body, expected).await?;
    }
    let payment = storefront.until("asks", "partially_refunded").await?;
    ensure_contains(&payment["refunds"][0], json!({ "status": "succeeded" }))?;
    let log = system.log().await?;
    let metric = "\"refund_clarification\":1";
    ensure!(log.contains(metric), "{metric} is not logged");
    ensure!(!log.contains("BE68539007547034"), "the log has the account");
    system.stop().await;
    Ok(())
}
