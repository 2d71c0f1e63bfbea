//! Makes one complete payment in a running sandbox: `cargo run -- exec cargo run --bin walk`.

use anyhow::Context;
use e2e::walk::walk;
use sandbox::Ready;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let path = std::env::var_os("SANDBOX_READY")
        .context("SANDBOX_READY is not set; start this program with `cargo run -- exec`")?;
    let ready: Ready = serde_json::from_slice(&std::fs::read(path)?)?;
    walk(&ready, &format!("walk-{}", std::process::id())).await
}
