//! Invokes and restarts the deployed functions. The parameter `function` is a short name from `ready.json`, such as
//! `sweeper`.

use anyhow::{Context, ensure};
use payments::Timestamp;
use sandbox::Sandbox;
use serde_json::{Value, json};

use crate::aws_call::call;

/// Invokes a function with an empty event.
pub async fn invoke(sandbox: &Sandbox, function: &str) -> anyhow::Result<Value> {
    invoke_with(sandbox, function, &json!({})).await
}

/// Invokes a function with an event.
pub async fn invoke_with(
    sandbox: &Sandbox,
    function: &str,
    event: &Value,
) -> anyhow::Result<Value> {
    let mut parameters = name(sandbox, function)?;
    parameters["Payload"] = event.to_string().into();
    let answer = call(sandbox, "lambda", "invoke", &parameters).await?;
    let payload = answer["Payload"].as_str();
    let payload = payload.with_context(|| format!("{function} answered {answer}"))?;
    ensure!(
        answer["FunctionError"].is_null(),
        "{function} failed: {payload}"
    );
    Ok(serde_json::from_str(payload)?)
}

/// Returns the configuration of a function.
pub async fn configuration(sandbox: &Sandbox, function: &str) -> anyhow::Result<Value> {
    let name = name(sandbox, function)?;
    call(sandbox, "lambda", "get_function_configuration", &name).await
}

/// Restarts the processes of a function, because new processes have empty caches.
pub async fn restart(sandbox: &Sandbox, function: &str) -> anyhow::Result<()> {
    let now = Timestamp::now().to_string();
    set_variable(sandbox, function, "STARTED_AT", &now).await
}

/// Sets an environment variable of a function, and moves each alias to a new version. New processes replace the old ones.
pub async fn set_variable(
    sandbox: &Sandbox,
    function: &str,
    variable: &str,
    value: &str,
) -> anyhow::Result<()> {
    let name = name(sandbox, function)?;
    let mut changed = name.clone();
    changed["Environment"] = configuration(sandbox, function).await?["Environment"].take();
    changed["Environment"]["Variables"][variable] = value.into();
    call(sandbox, "lambda", "update_function_configuration", &changed).await?;
    let aliases = call(sandbox, "lambda", "list_aliases", &name).await?;
    for alias in aliases["Aliases"].as_array().into_iter().flatten() {
        let published = call(sandbox, "lambda", "publish_version", &name).await?;
        let mut moved = name.clone();
        moved["Name"] = alias["Name"].clone();
        moved["FunctionVersion"] = published["Version"].clone();
        call(sandbox, "lambda", "update_alias", &moved).await?;
    }
    Ok(())
}

fn name(sandbox: &Sandbox, function: &str) -> anyhow::Result<Value> {
    let name = sandbox.ready().functions.get(function);
    let name = name.with_context(|| format!("There is no function {function}"))?;
    Ok(json!({ "FunctionName": name }))
}
