//! What the functions have logged.

use std::path::Path;

use anyhow::ensure;
use sandbox::Sandbox;

/// Every line that the sandbox's functions have written so far.
///
/// # Errors
///
/// When the logs cannot be read.
pub async fn of_functions(sandbox: &Sandbox) -> anyhow::Result<String> {
    let supervisor = sandbox.supervisor();
    let ready = sandbox.ready();
    let mut command = supervisor.command(sandbox.python());
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/logs.py"))
        .args([&ready.aws_endpoint, &ready.region]);
    let (status, output) = supervisor.output(command).await?;
    ensure!(status.success(), "the logs cannot be read");
    Ok(String::from_utf8_lossy(&output).into_owned())
}
