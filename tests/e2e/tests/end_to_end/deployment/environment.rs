//! Tests that the template sets exactly the environment variables that a function reads.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, ensure};
use axum::{Json, Router};
use sandbox::functions;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::time::timeout;
use tools::Supervisor;

use crate::template::processed::Template;

/// The valid values of variables, by the end of the variable's name. All other variables accept any value.
const VALUES: [(&str, &str); 11] = [
    ("_CONCURRENCY", "10"),
    ("_SECONDS", "60"),
    ("_DELAYS", "60,120"),
    ("_PER_SECOND", "1"),
    ("_SLOTS", "1"),
    ("_QUEUES", "[]"),
    ("_URL", "https://platform.example"),
    ("_LANGUAGES", "en,fr"),
    ("_RETRIES", "true"),
    ("_FORMAT", "1"),
    ("_LOOPBACK", "false"),
];

/// These variables have defaults for tests and tools.
const OPTIONAL: [&str; 2] = ["METRICS_NAMESPACE", "RELEASE_NAME"];

/// Lambda sets these variables.
const LAMBDA: [(&str, &str); 8] = [
    ("AWS_REGION", "eu-west-1"),
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("AWS_LAMBDA_FUNCTION_NAME", "function"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "group"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
];

#[tokio::test]
async fn a_function_starts_with_the_variables_of_the_template_and_fails_if_one_is_missing()
-> anyhow::Result<()> {
    let template = Template::processed().await?;
    let functions = template.all("AWS::Lambda::Function");
    let binary = |function: &Value| function["Code"]["S3Key"].as_str().map(str::to_owned);
    let binaries: Option<Vec<String>> = functions.values().copied().map(binary).collect();
    let binaries = binaries.context("a function has no code")?;
    let built = functions::build(&Supervisor::new()?, &binaries).await?;
    let aws = start_secrets().await?;
    for ((name, function), binary) in functions.iter().zip(&binaries) {
        let variables = function["Environment"]["Variables"].as_object();
        let variables = variables.with_context(|| format!("{name} has no variables"))?;
        let handler = function["Handler"].as_str();
        let handler = handler.with_context(|| format!("{name} has no handler"))?;
        let function = Function {
            binary: &built[binary],
            handler,
            aws: &aws,
        };
        let all: BTreeMap<&str, &str> = variables
            .keys()
            .map(|variable| (variable.as_str(), valid_value(variable)))
            .collect();
        let error = function.start_error(&all).await?;
        ensure!(error.is_none(), "{name} does not start: {error:?}");
        for variable in all.keys().filter(|variable| !OPTIONAL.contains(variable)) {
            let mut others = all.clone();
            others.remove(variable);
            let error = function.start_error(&others).await?;
            let error = error.with_context(|| format!("{name} does not read {variable}"))?;
            let is_named = error.contains(variable) && error.contains("is not set");
            ensure!(is_named, "{name} without {variable}: {error}");
        }
    }
    Ok(())
}

fn valid_value(variable: &str) -> &'static str {
    let value = VALUES.iter().find(|(end, _)| variable.ends_with(end));
    value.map_or("something", |(_, value)| value)
}

struct Function<'a> {
    binary: &'a Path,
    /// The property `Handler`, which selects one of the functions in a binary.
    handler: &'a str,
    /// The URL that replaces AWS.
    aws: &'a str,
}

impl Function<'_> {
    /// Returns the output if the function fails at its start, or `None` if it requests its first event.
    async fn start_error(
        &self,
        variables: &BTreeMap<&str, &str>,
    ) -> anyhow::Result<Option<String>> {
        let lambda = TcpListener::bind(("127.0.0.1", 0)).await?;
        let mut command = Command::new(self.binary);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", lambda.local_addr()?.to_string())
            .env("AWS_ENDPOINT_URL", self.aws)
            .env("_HANDLER", self.handler)
            .envs(LAMBDA)
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let ended = command.spawn()?.wait_with_output();
        tokio::select! {
            requested = lambda.accept() => {
                requested?;
                Ok(None)
            }
            ended = timeout(e2e::TIMEOUT, ended) => {
                let output = ended.context("the function neither starts nor ends")??;
                ensure!(!output.status.success(), "the function ended with success");
                let text = [output.stdout, output.stderr].concat();
                Ok(Some(String::from_utf8_lossy(&text).into_owned()))
            }
        }
    }
}

/// Replaces Secrets Manager, because a function can read secrets at its start. Returns the URL.
async fn start_secrets() -> anyhow::Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = format!("http://{}", listener.local_addr()?);
    let secret = json!({ "Name": "secret", "SecretString": "a secret of 32 characters or more" });
    let service = Router::new().fallback(async move || Json(secret));
    tokio::spawn(async move { axum::serve(listener, service).await });
    Ok(address)
}
