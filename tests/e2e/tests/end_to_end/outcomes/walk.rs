//! Tests a complete payment over HTTP.

use e2e::walk::walk;
use sandbox::{Options, Sandbox};

#[tokio::test]
async fn a_payment_is_created_paid_and_partially_refunded_and_its_events_are_published()
-> anyhow::Result<()> {
    let sandbox = Sandbox::start(Options::any_ports()).await?;
    walk(sandbox.ready(), "walk-1").await?;
    sandbox.stop().await;
    Ok(())
}
