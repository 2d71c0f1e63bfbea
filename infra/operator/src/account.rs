//! Where the payments are: a stack of an account, or the sandbox.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use aws::dynamodb::DynamoStore;
use aws::sdk;
use aws_credential_types::Credentials;
use aws_types::SdkConfig;
use clap::Args;
use serde::Deserialize;

/// Whoever runs the sandbox may do everything in it.
const SANDBOX_CREDENTIALS: &str = "test";

#[derive(Args)]
pub struct AccountArgs {
    /// What the deployment wrote about the stack.
    #[arg(long, env = "BANCONTACT_STACK", value_name = "FILE", global = true)]
    stack: Option<PathBuf>,
    /// The running sandbox instead.
    #[arg(long, global = true)]
    sandbox: bool,
    /// What the sandbox has written when it was ready.
    #[arg(
        long,
        env = "SANDBOX_READY",
        default_value = "target/sandbox/ready.json",
        value_name = "FILE",
        hide = true,
        global = true
    )]
    sandbox_ready: PathBuf,
}

/// The stack, and the way to it.
pub struct Account {
    pub config: SdkConfig,
    pub stack: Stack,
}

/// What a deployment and the sandbox tell alike.
#[derive(Deserialize)]
pub struct Stack {
    /// Only of a local AWS.
    aws_endpoint: Option<String>,
    region: String,
    /// The payments' table.
    pub table: String,
    /// The queues of events by their names.
    pub queues: BTreeMap<String, String>,
    /// Their dead letters.
    pub dead_letters: BTreeMap<String, String>,
    /// The functions by what they are for.
    pub functions: BTreeMap<String, String>,
    /// The secret with the keys of the projects.
    pub project_keys_secret: String,
    /// The secret with what gives access to the Data API.
    pub data_api_token_secret: String,
}

impl AccountArgs {
    pub fn open(&self) -> anyhow::Result<Account> {
        let stack: Stack = if self.sandbox {
            read(&self.sandbox_ready).context("no sandbox is running")?
        } else {
            let file = self.stack.as_deref();
            read(file.context("--stack or BANCONTACT_STACK is missing, or --sandbox")?)?
        };
        let endpoint = stack.aws_endpoint.clone();
        let credentials = if self.sandbox {
            let key = SANDBOX_CREDENTIALS;
            Credentials::new(key, key, None, None, "sandbox")
        } else {
            sdk::credentials_from_environment()?
        };
        Ok(Account {
            config: sdk::config(stack.region.clone(), credentials, endpoint),
            stack,
        })
    }
}

fn read(path: &Path) -> anyhow::Result<Stack> {
    let file = std::fs::read(path);
    let file = file.with_context(|| format!("{} cannot be read", path.display()))?;
    serde_json::from_slice(&file)
        .with_context(|| format!("{} does not tell of a stack", path.display()))
}

impl Account {
    /// The payments.
    pub fn store(&self) -> DynamoStore {
        DynamoStore::new(&self.config, self.stack.table.clone())
    }
}
