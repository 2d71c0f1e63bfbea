//! A payment's whole way over HTTP.

use e2e::walk::walk;
use sandbox::{Options, Sandbox};

#[tokio::test]
async fn a_payment_is_taken_confirmed_announced_and_refunded() -> anyhow::Result<()> {
    let sandbox = Sandbox::start(Options::any_ports()).await?;
    walk(sandbox.ready(), "walk-1").await?;
    sandbox.stop().await;
    Ok(())
}
