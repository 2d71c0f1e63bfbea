//! Revokes and restores the permissions of a function's role.

use anyhow::{Context, ensure};
use sandbox::Sandbox;
use serde_json::{Value, json};

use crate::aws_call::{call, run_script};
use crate::lambda;

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    statement: usize,
    /// The action, such as `dynamodb:Query`.
    pub action: String,
    /// The ARN of the resource.
    pub resource: String,
}

/// The permissions of a function's role.
pub struct Permissions<'a> {
    sandbox: &'a Sandbox,
    role: String,
    policy: String,
    original: Value,
}

impl<'a> Permissions<'a> {
    /// Reads the permissions of a function.
    pub async fn of(sandbox: &'a Sandbox, function: &str) -> anyhow::Result<Self> {
        let configuration = lambda::configuration(sandbox, function).await?;
        let role = configuration["Role"].as_str();
        let role = role.and_then(|arn| arn.rsplit('/').next());
        let role = role.context("The function has no role")?.to_owned();
        // In the template, each role has one policy with the function's name.
        let policy = function.to_owned();
        let names = json!({ "RoleName": role, "PolicyName": policy });
        let mut answer = call(sandbox, "iam", "get_role_policy", &names).await?;
        Ok(Self {
            sandbox,
            role,
            policy,
            original: answer["PolicyDocument"].take(),
        })
    }

    /// Returns the role's name.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// Returns each allowed action on each resource.
    pub fn grants(&self) -> Vec<Grant> {
        let mut grants = Vec::new();
        let statements = self.original["Statement"].as_array();
        for (statement, allowed) in statements.into_iter().flatten().enumerate() {
            for action in texts(&allowed["Action"]) {
                let grants_of_action = texts(&allowed["Resource"]).map(|resource| Grant {
                    statement,
                    action: action.to_owned(),
                    resource: resource.to_owned(),
                });
                grants.extend(grants_of_action);
            }
        }
        grants
    }

    /// Revokes all statements whose JSON contains `text`.
    pub async fn revoke(&self, text: &str) -> anyhow::Result<()> {
        let mut policy = self.original.clone();
        if let Some(statements) = policy["Statement"].as_array_mut() {
            statements.retain(|statement| !statement.to_string().contains(text));
        }
        ensure!(policy != self.original, "{} has no {text}", self.role);
        self.put(&policy).await
    }

    /// Revokes one grant.
    pub async fn revoke_grant(&self, grant: &Grant) -> anyhow::Result<()> {
        let others = self.grants().into_iter().filter(|other| other != grant);
        let statements: Vec<Value> = others
            .map(|other| json!({ "Effect": "Allow", "Action": other.action, "Resource": other.resource }))
            .collect();
        self.put(&json!({ "Version": "2012-10-17", "Statement": statements }))
            .await
    }

    /// Calls DynamoDB with the role. A call has an operation and its parameters, with the names of the Python SDK. A
    /// result is `allowed` or the code of the error.
    pub async fn call_dynamodb(&self, calls: &[(&str, Value)]) -> anyhow::Result<Vec<String>> {
        let calls = json!(calls).to_string();
        let output = run_script(self.sandbox, "as_role.py", &[&self.role, &calls]).await?;
        Ok(serde_json::from_slice(&output)?)
    }

    /// Restores the original permissions.
    pub async fn restore(&self) -> anyhow::Result<()> {
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

/// Returns the strings of a list. Any other value counts as a list of one entry.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let list = value.as_array().map(Vec::as_slice);
    let list = list.unwrap_or(std::slice::from_ref(value));
    list.iter().filter_map(Value::as_str)
}
