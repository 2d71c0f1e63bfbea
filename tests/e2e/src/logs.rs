//! Reads the functions' logs.

use sandbox::Sandbox;
use serde_json::Value;

use crate::aws_call::run_script;

/// Returns all log lines of the functions.
pub async fn of_functions(sandbox: &Sandbox) -> anyhow::Result<String> {
    let output = run_script(sandbox, "logs.py", &[]).await?;
    Ok(String::from_utf8_lossy(&output).into_owned())
}

/// Returns the log lines that are JSON.
pub async fn json_lines(sandbox: &Sandbox) -> anyhow::Result<Vec<Value>> {
    let log = of_functions(sandbox).await?;
    let lines = log.lines();
    Ok(lines
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect())
}
