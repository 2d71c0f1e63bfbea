//! Calls the services of the local AWS as an administrator.

use std::path::Path;

use anyhow::ensure;
use sandbox::Sandbox;
use serde_json::Value;

/// Calls an operation and returns its whole answer. The service, the operation and the parameters have the names of the
/// Python SDK.
pub async fn call(
    sandbox: &Sandbox,
    service: &str,
    operation: &str,
    parameters: &Value,
) -> anyhow::Result<Value> {
    let parameters = parameters.to_string();
    let output = run_script(sandbox, "aws_call.py", &[service, operation, &parameters]).await?;
    Ok(serde_json::from_slice(&output)?)
}

/// Runs a Python script of this folder and returns its output. The script receives the endpoint, the region, and then
/// `arguments`.
pub(crate) async fn run_script(
    sandbox: &Sandbox,
    script: &str,
    arguments: &[&str],
) -> anyhow::Result<Vec<u8>> {
    let ready = sandbox.ready();
    let mut command = sandbox.supervisor().command(sandbox.python());
    command
        .arg(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("src")
                .join(script),
        )
        .args([&ready.aws_endpoint, &ready.region])
        .args(arguments);
    let (status, output) = sandbox.supervisor().output(command).await?;
    ensure!(status.success(), "{script} {arguments:?} failed");
    Ok(output)
}
