//! One complete payment over HTTP.

use e2e::walk::walk;
use sandbox::{Options, Sandbox};

#[tokio::test]
async fn a_payment_is_created_paid_published_and_partially_refunded() -> anyhow::Result<()> {
    let sandbox = Sandbox::start(Options::any_ports()).await?;
    walk(sandbox.ready(), "walk-1").await?;
    sandbox.stop().await;
    Ok(())
}
