//! Walks through a running sandbox: `cargo run -- exec cargo run --bin walk`.

use anyhow::Context;
use sandbox::Ready;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let path = std::env::var_os("SANDBOX_READY")
        .context("SANDBOX_READY is not set; start me with exec")?;
    let ready: Ready = serde_json::from_slice(&std::fs::read(path)?)?;
    e2e::walk::walk(&ready, &format!("walk-{}", std::process::id())).await
}
