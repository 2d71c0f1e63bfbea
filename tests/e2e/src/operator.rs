//! What an operator does by hand: runs a function now, takes a permission away and gives it back.

use std::path::Path;

use anyhow::{Context, ensure};
use sandbox::{Sandbox, python};
use serde_json::{Value, json};

/// One call of any service; names and parameters are those of the Python SDK.
///
/// # Errors
///
/// When the call is refused.
pub async fn call(
    sandbox: &Sandbox,
    service: &str,
    operation: &str,
    parameters: &Value,
) -> anyhow::Result<Value> {
    let supervisor = sandbox.supervisor();
    let python = python::environment(&python::find().await?, supervisor).await?;
    let ready = sandbox.ready();
    let mut command = supervisor.command(&python);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/aws_call.py"))
        .args([&ready.aws_endpoint, &ready.region])
        .args([service, operation, &parameters.to_string()]);
    let (status, output) = supervisor.output(command).await?;
    ensure!(status.success(), "{service} {operation} failed");
    Ok(serde_json::from_slice(&output)?)
}

/// Runs a function at once and gives its answer.
///
/// # Errors
///
/// When it cannot be run, or fails.
pub async fn invoke(sandbox: &Sandbox, function: &str) -> anyhow::Result<Value> {
    invoke_with(sandbox, function, &json!({})).await
}

/// Runs a function at once with an event and gives its answer.
///
/// # Errors
///
/// When it cannot be run, or fails.
pub async fn invoke_with(
    sandbox: &Sandbox,
    function: &str,
    event: &Value,
) -> anyhow::Result<Value> {
    let name = name_of(sandbox, function)?;
    let parameters = json!({ "FunctionName": name, "Payload": event.to_string() });
    let answer = call(sandbox, "lambda", "invoke", &parameters).await?;
    let payload = answer.get("Payload").and_then(Value::as_str);
    let payload = payload.with_context(|| format!("{function} answered {answer}"))?;
    ensure!(
        answer.get("FunctionError").is_none(),
        "{function} failed: {payload}"
    );
    Ok(serde_json::from_str(payload)?)
}

/// The permissions of one function.
pub struct Permissions<'a> {
    sandbox: &'a Sandbox,
    role: String,
    policy: String,
    original: Value,
}

impl<'a> Permissions<'a> {
    /// The permissions of a function's role.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub async fn of(sandbox: &'a Sandbox, function: &str) -> anyhow::Result<Self> {
        let name = json!({ "FunctionName": name_of(sandbox, function)? });
        let configuration = call(sandbox, "lambda", "get_function_configuration", &name).await?;
        let role = configuration.get("Role").and_then(Value::as_str);
        let role = role.and_then(|arn| arn.rsplit('/').next());
        let role = role.context("The function has no role")?.to_owned();
        // The template gives each role one policy, with the function's own name.
        let policy = function.to_owned();
        let names = json!({ "RoleName": role, "PolicyName": policy });
        let answer = call(sandbox, "iam", "get_role_policy", &names).await?;
        let original = answer.get("PolicyDocument").cloned();
        Ok(Self {
            sandbox,
            role,
            policy,
            original: original.context("The role has no policy")?,
        })
    }

    /// Takes away every statement with an action.
    ///
    /// # Errors
    ///
    /// When the policy cannot be written.
    pub async fn take(&self, action: &str) -> anyhow::Result<()> {
        let mut policy = self.original.clone();
        if let Some(Value::Array(statements)) = policy.get_mut("Statement") {
            statements.retain(|statement| !statement.to_string().contains(action));
        }
        ensure!(policy != self.original, "{} had no {action}", self.role);
        self.put(&policy).await
    }

    /// Gives everything back.
    ///
    /// # Errors
    ///
    /// When the policy cannot be written.
    pub async fn give_back(&self) -> anyhow::Result<()> {
        self.put(&self.original).await
    }

    async fn put(&self, policy: &Value) -> anyhow::Result<()> {
        let parameters = json!({
            "RoleName": self.role, "PolicyName": self.policy, "PolicyDocument": policy.to_string(),
        });
        call(self.sandbox, "iam", "put_role_policy", &parameters).await?;
        Ok(())
    }
}

fn name_of<'a>(sandbox: &'a Sandbox, function: &str) -> anyhow::Result<&'a str> {
    let name = sandbox.ready().functions.get(function);
    let name = name.with_context(|| format!("There is no function {function}"))?;
    Ok(name)
}
