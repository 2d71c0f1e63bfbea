//! Tests refund requests in parallel.

use anyhow::ensure;
use e2e::eventually;
use e2e::storefront::partial_refund;
use e2e::system::System;
use futures_util::future::try_join_all;
use sandbox::Options;

use crate::refunds::steps::{ensure_events_match, platform_refunds, until_refunded};

#[tokio::test]
async fn parallel_refunds_are_accepted_up_to_the_amount_of_the_payment() -> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    system.create_paid("parallel").await?;
    let storefront = &system.storefront;
    let refunds = (0..20).map(async |number| {
        let refund = partial_refund(&format!("r-{number}"), 100);
        // After too many conflicting writes, the API answers 503, and the caller must retry.
        eventually("an answer other than 503", async || {
            let (status, _) = storefront.refund("parallel", &refund).await?;
            Ok(Some(status.as_u16()).filter(|status| *status != 503))
        })
        .await
    });
    let statuses = try_join_all(refunds).await?;
    let accepted = statuses.iter().filter(|status| **status == 202).count();
    let refused = statuses
        .iter()
        .filter(|status| [409, 422].contains(*status));
    ensure!(accepted == 10 && refused.count() == 10, "{statuses:?}");
    until_refunded(&system, "parallel", 1000).await?;
    let refunds = platform_refunds(&system, "parallel").await?;
    ensure!(refunds.len() == 10, "{refunds:?}");
    ensure_events_match(&system, 1).await?;
    system.stop().await;
    Ok(())
}
