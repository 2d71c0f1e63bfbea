//! What an operator does by hand: runs a function now, takes a permission away and gives it back.

#![allow(clippy::indexing_slicing)]

use std::path::Path;

use anyhow::{Context, ensure};
use payments::Timestamp;
use sandbox::Sandbox;
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
    let ready = sandbox.ready();
    let mut command = supervisor.command(sandbox.python());
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

/// Lets a function's processes begin anew, so that they know nothing: its configuration is written
/// again, and where it is called by an alias, that leads to a new version.
///
/// # Errors
///
/// When the configuration cannot be written.
pub async fn restart(sandbox: &Sandbox, function: &str) -> anyhow::Result<()> {
    let name = json!({ "FunctionName": name_of(sandbox, function)? });
    let configuration = call(sandbox, "lambda", "get_function_configuration", &name).await?;
    let mut environment = configuration
        .get("Environment")
        .cloned()
        .unwrap_or_default();
    if let Some(variables) = environment.get_mut("Variables") {
        variables["STARTED_AT"] = json!(Timestamp::now());
    }
    let mut changed = name.clone();
    changed["Environment"] = environment;
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

/// One action that a function may do to one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    statement: usize,
    /// The action, as in `dynamodb:Query`.
    pub action: String,
    /// The ARN of the thing.
    pub resource: String,
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

    /// The role.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// Each action on each thing that the policy allows.
    pub fn grants(&self) -> Vec<Grant> {
        let statements = self.original.get("Statement").and_then(Value::as_array);
        let numbered = statements.into_iter().flatten().enumerate();
        let grants = numbered.flat_map(|(statement, one)| {
            let resources = texts(one.get("Resource"));
            texts(one.get("Action"))
                .into_iter()
                .flat_map(move |action| {
                    let grant = move |resource| Grant {
                        statement,
                        action: action.clone(),
                        resource,
                    };
                    resources.clone().into_iter().map(grant)
                })
        });
        grants.collect()
    }

    /// Takes away one grant, and nothing else.
    ///
    /// # Errors
    ///
    /// When the policy cannot be written.
    pub async fn take_grant(&self, grant: &Grant) -> anyhow::Result<()> {
        let others = self.grants().into_iter().filter(|other| other != grant);
        let statements: Vec<Value> = others
            .map(
                |Grant {
                     action, resource, ..
                 }| {
                    json!({ "Effect": "Allow", "Action": action, "Resource": resource })
                },
            )
            .collect();
        let policy = json!({ "Version": "2012-10-17", "Statement": statements });
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

/// One text, or a list of them.
fn texts(value: Option<&Value>) -> Vec<String> {
    let all = match value {
        Some(Value::Array(all)) => all.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let texts = all.iter().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

fn name_of<'a>(sandbox: &'a Sandbox, function: &str) -> anyhow::Result<&'a str> {
    let name = sandbox.ready().functions.get(function);
    let name = name.with_context(|| format!("There is no function {function}"))?;
    Ok(name)
}
