//! Runs the local AWS: MiniStack as a supervised program, with IAM enforced, on a free port of 127.0.0.1.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::Command;
use tools::supervised::{last_line, log_to};
use tools::{Supervised, Supervisor};

use crate::workspace::Folder;

/// The region of everything in the local AWS.
pub const REGION: &str = "eu-west-1";
/// The access key and the secret key of the administrator of the local AWS.
pub const CREDENTIALS: (&str, &str) = ("test", "test");

const START_LIMIT: Duration = Duration::from_secs(60);
const ATTEMPTS: usize = 5;

/// A running local AWS.
#[derive(Debug)]
pub struct LocalAws {
    endpoint: String,
    process: Supervised,
    log: PathBuf,
}

impl LocalAws {
    /// Starts the local AWS and waits for its first answer. The functions call `functions_endpoint`. If it is `None`,
    /// they call the local AWS.
    pub async fn start(
        supervisor: &Supervisor,
        python: &Path,
        folder: &Folder,
        functions_endpoint: Option<&str>,
    ) -> anyhow::Result<Self> {
        let log = folder.file("aws.log");
        for _ in 0..ATTEMPTS {
            let port = free_port()?;
            // Another process can bind the port first. In this case, MiniStack ends, or the other process answers
            // without the marker.
            let marker = format!("{}-{port}", std::process::id());
            let endpoint = format!("http://127.0.0.1:{port}");
            let mut command = command(
                supervisor,
                python,
                folder,
                functions_endpoint.unwrap_or(&endpoint),
            );
            command
                .env("GATEWAY_PORT", port.to_string())
                .env("MINISTACK_EDITION", &marker);
            log_to(&mut command, &log)?;
            let process = supervisor.start(command)?;
            let answer = tokio::select! {
                answer = first_answer(&endpoint) => Some(answer?),
                _ = process.wait() => None,
                () = tokio::time::sleep(START_LIMIT) => bail!(
                    "The local AWS did not answer within {} seconds; its log is {}",
                    START_LIMIT.as_secs(), log.display()
                ),
            };
            match answer {
                Some(edition) if edition == marker => {
                    return Ok(Self {
                        endpoint,
                        process,
                        log,
                    });
                }
                Some(_) => process.stop().await,
                None if port_was_in_use(&log) => {}
                None => bail!(
                    "The local AWS ended while it started: {}; its log is {}",
                    last_line(&log),
                    log.display()
                ),
            }
        }
        bail!("The local AWS found no free port in {ATTEMPTS} attempts")
    }

    /// Returns the address of the AWS services.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the address of an HTTP API, without a path.
    pub fn api(&self, api_id: &str) -> String {
        format!("{}/_aws/execute-api/{api_id}/$default", self.endpoint)
    }

    /// Returns the log, which includes the functions' logs.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Waits until the local AWS has ended.
    pub async fn ended(&self) {
        self.process.wait().await;
    }

    /// Stops the local AWS and all functions, and waits until they have ended.
    pub async fn stop(self) {
        self.process.stop().await;
    }
}

/// Installs the packages of the local AWS and the AWS SDK, and returns their Python interpreter. After a failure, the
/// reason is on standard error.
pub async fn python(supervisor: &Supervisor) -> anyhow::Result<PathBuf> {
    let packages = supervisor.install("tests/sandbox/requirements.txt").await?;
    Ok(packages.join("bin/python"))
}

/// Lets a command call the local AWS as administrator. Removes the user's environment variables, except five.
///
/// With the user's variables, a profile or a proxy could direct the calls to another AWS. MiniStack passes its own
/// variables on to the functions, so the functions also do not have the user's variables.
pub fn with_clean_environment<'a>(command: &'a mut Command, endpoint: &str) -> &'a mut Command {
    command.env_clear();
    for name in ["PATH", "HOME", "LANG", "LC_ALL", "TZ"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    let (access_key, secret_key) = CREDENTIALS;
    command
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_REGION", REGION)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", access_key)
        .env("AWS_SECRET_ACCESS_KEY", secret_key)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
}

fn command(
    supervisor: &Supervisor,
    python: &Path,
    folder: &Folder,
    functions_endpoint: &str,
) -> Command {
    let state = folder.state();
    let mut command = supervisor.command(python);
    // MiniStack itself does not use this endpoint. It passes the endpoint to the functions.
    with_clean_environment(&mut command, functions_endpoint)
        .args(["-I", "-m", "ministack"])
        .env("BIND_HOST", "127.0.0.1")
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("AUTH", "true")
        .env("MINISTACK_REGION", REGION)
        .env("SFTP_ENABLED", "0")
        .env("IOT_MTLS_ENABLED", "0")
        .env("TMPDIR", state)
        .env("STATE_DIR", state.join("services"))
        .env("S3_DATA_DIR", state.join("s3"))
        .current_dir(state);
    command
}

fn free_port() -> anyhow::Result<u16> {
    let port = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr();
    Ok(port().context("There is no free port on 127.0.0.1")?.port())
}

/// Repeats a health request until an answer arrives, and returns the edition in this answer.
async fn first_answer(endpoint: &str) -> anyhow::Result<String> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(2))
        .build()?;
    let url = format!("{endpoint}/_ministack/health");
    loop {
        if let Ok(answer) = client.get(&url).send().await {
            let health: serde_json::Value = answer.json().await.unwrap_or_default();
            return Ok(health
                .get("edition")
                .and_then(|edition| edition.as_str())
                .unwrap_or("")
                .to_owned());
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

fn port_was_in_use(log: &Path) -> bool {
    let log = std::fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&log).contains("already in use")
}
