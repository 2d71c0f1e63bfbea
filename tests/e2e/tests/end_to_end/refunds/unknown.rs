//! Tests refunds without an answer from Gate.

use anyhow::{Context, ensure};
use e2e::ensure_contains;
use e2e::storefront::partial_refund;
use e2e::system::{System, accelerated};
use serde_json::json;

use crate::refunds::steps::{ensure_events_match, platform_refunds, until_refunded};

#[tokio::test]
async fn a_refund_with_an_unknown_outcome_is_sent_again_only_if_the_platform_did_not_receive_it()
-> anyhow::Result<()> {
    let system = System::start(accelerated()).await?;
    let refund = partial_refund("r-1", 400);
    for (payment_id, answer) in [("received", "cut"), ("lost", "lost")] {
        system.create_paid(payment_id).await?;
        let fault =
            json!({ "answer": answer, "answer_times": 1, "answer_to": ["refund"], "drop": true });
        system.simulator.set_faults(payment_id, fault).await?;
        for _ in 0..2 {
            let unknown = system.storefront.post_refund(payment_id, &refund, 202);
            ensure_contains(&unknown.await?, json!({ "status": "unknown" }))?;
        }
        system.simulator.set_faults(payment_id, json!({})).await?;
    }
    for payment_id in ["received", "lost"] {
        system
            .sweep_until_payment(payment_id, |payment| payment["refunded_amount"] == 400)
            .await
            .context(payment_id)?;
        let refunds = platform_refunds(&system, payment_id).await?;
        ensure!(refunds.len() == 1, "{payment_id}: {refunds:?}");
        ensure_contains(&refunds[0], json!({ "merchant_refund_id": "r-1" }))?;
        let payment = until_refunded(&system, payment_id, 400).await?;
        ensure_contains(&payment["refunds"][0], json!({ "status": "succeeded" }))?;
    }
    ensure_events_match(&system, 2).await?;
    system.stop().await;
    Ok(())
}
