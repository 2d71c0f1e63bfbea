//! The real binary about a sandbox.

use std::process::{Output, Stdio};

use anyhow::Context;
use sandbox::Sandbox;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Runs the binary, which reads what it is given.
pub async fn operator(sandbox: &Sandbox, args: &[&str], input: &str) -> anyhow::Result<Output> {
    let ready = sandbox.file("ready.json");
    std::fs::write(&ready, serde_json::to_vec(sandbox.ready())?)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_operator"));
    let mut child = command
        .args(args)
        .env("SANDBOX_READY", ready)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    // Who is refused early reads nothing.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    Ok(child.wait_with_output().await?)
}
