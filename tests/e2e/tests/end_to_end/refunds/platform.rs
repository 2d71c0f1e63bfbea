//! Tests refunds made in the platform's Dashboard.

use e2e::ensure_contains;
use e2e::storefront::partial_refund;
use e2e::system::{System, accelerated};
use serde_json::json;

use crate::refunds::steps::ensure_events_match;

#[tokio::test]
async fn a_refund_that_exceeds_the_platforms_remaining_amount_is_declined_after_a_status_poll()
-> anyhow::Result<()> {
    let system = System::start(accelerated()).await?;
    system.create_paid("dashboard").await?;
    system.simulator.drop_callbacks("dashboard").await?;
    let at_the_platform = json!({ "amount": 700 });
    system
        .simulator
        .refund("dashboard", at_the_platform)
        .await?;
    let refund = partial_refund("r-1", 400);
    system
        .storefront
        .post_refund("dashboard", &refund, 202)
        .await?;
    let payment = system
        .sweep_until_payment("dashboard", |payment| {
            payment["refunds"][0]["status"] == "declined"
        })
        .await?;
    let amounts = json!({ "refunded_amount": 700, "refundable_amount": 300 });
    ensure_contains(&payment, amounts)?;
    let declined = json!({ "refund_id": "r-1", "decline": { "code": "3283" } });
    ensure_contains(&payment["refunds"][0], declined)?;
    ensure_contains(&payment["refunds"][1], json!({ "refund_id": null }))?;
    ensure_events_match(&system, 1).await?;
    system.stop().await;
    Ok(())
}
