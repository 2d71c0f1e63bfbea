//! Every variable that the template gives a function is read, and every one that it reads is given: a
//! function that lacks any says so at its start and ends.

use std::collections::BTreeMap;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context, ensure};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use e2e::template::Template;
use sandbox::functions;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::Notify;
use tokio::time::timeout;
use tools::Supervisor;

/// What values of some names must look like; the others can be anything.
const FORMS: [(&str, &str); 6] = [
    ("_SECONDS", "60"),
    ("_PAUSES", "60,120"),
    ("_QUEUES", "[]"),
    ("_URL", "https://platform.example"),
    ("_LANGUAGES", "en,fr"),
    ("_RETRIES", "true"),
];

/// It has a default, as tests and tools log without it; that each function's metrics come under the
/// stack's name is shown by `provoked.rs`.
const OPTIONAL: &str = "METRICS_NAMESPACE";

/// Lambda itself and Secrets Manager, as far as a function asks them when it starts.
struct Host {
    address: String,
    /// A function has started and asks for its first event.
    started: Arc<Notify>,
}

impl Host {
    async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?.to_string();
        let started = Arc::new(Notify::new());
        let told = Arc::clone(&started);
        let service = Router::new().fallback(move |request: Request| answer(request, told.clone()));
        tokio::spawn(async move { axum::serve(listener, service).await });
        Ok(Self { address, started })
    }

    /// What a function says when it ends at once; `None` if it starts.
    async fn complaint(
        &self,
        binary: &Path,
        variables: &BTreeMap<&str, &str>,
    ) -> anyhow::Result<Option<String>> {
        let mut command = Command::new(binary);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", &self.address)
            .env("AWS_ENDPOINT_URL", format!("http://{}", self.address))
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_LAMBDA_FUNCTION_NAME", "function")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let ended = command.spawn()?.wait_with_output();
        tokio::select! {
            () = self.started.notified() => Ok(None),
            ended = timeout(e2e::PATIENCE, ended) => {
                let output = ended.context("it neither starts nor ends")??;
                ensure!(!output.status.success(), "it ends as if all were well");
                let told = [output.stdout, output.stderr].concat();
                Ok(Some(String::from_utf8_lossy(&told).into_owned()))
            }
        }
    }
}

async fn answer(request: Request, started: Arc<Notify>) -> Response {
    if request.uri().path().ends_with("/invocation/next") {
        started.notify_one();
        return pending().await;
    }
    let secret = json!({ "Name": "secret", "SecretString": "a secret of 32 characters or more" });
    Json(secret).into_response()
}

fn form(name: &str) -> &'static str {
    let form = FORMS.iter().find(|(end, _)| name.ends_with(end));
    form.map_or("something", |(_, form)| form)
}

#[tokio::test]
async fn every_variable_is_needed_and_given() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let supervisor = Supervisor::new()?;
    let functions = template.all("AWS::Lambda::Function");
    let binary = |function: &Value| -> anyhow::Result<String> {
        let key = function["Code"]["S3Key"].as_str();
        Ok(key.context("no code")?.to_owned())
    };
    let binaries = functions.values().map(|function| binary(function));
    let binaries: Vec<String> = binaries.collect::<Result<_, _>>()?;
    let built: BTreeMap<String, PathBuf> = functions::build(&supervisor, &binaries).await?;
    let host = Host::start().await?;
    for (name, function) in functions {
        let path = &built[&binary(function)?];
        let variables = function["Environment"]["Variables"].as_object();
        let variables = variables.with_context(|| format!("{name} has no variables"))?;
        let all: BTreeMap<&str, &str> = variables
            .keys()
            .map(|key| (key.as_str(), form(key)))
            .collect();
        let complaint = host.complaint(path, &all).await?;
        ensure!(complaint.is_none(), "{name} lacks something: {complaint:?}");
        for variable in all.keys().filter(|variable| **variable != OPTIONAL) {
            let mut others = all.clone();
            others.remove(variable);
            let complaint = host.complaint(path, &others).await?;
            let complaint =
                complaint.with_context(|| format!("{name} does not read {variable}"))?;
            let is_named = complaint.contains(variable) && complaint.contains("is not set");
            ensure!(is_named, "{name} without {variable}: {complaint}");
        }
    }
    Ok(())
}
