//! Where the payments are.

use std::path::PathBuf;

use anyhow::Context;
use aws_credential_types::Credentials;
use clap::Args;
use payments::adapters::aws;
use payments::adapters::dynamodb::DynamoStore;
use serde::Deserialize;

/// Whoever runs the sandbox may do everything in it.
const SANDBOX_CREDENTIALS: &str = "test";

#[derive(Args)]
pub struct AccountArgs {
    /// The payments' table; the stack's output `TableName`.
    #[arg(long, env = "TABLE_NAME", global = true)]
    table: Option<String>,
    /// The running sandbox instead of an account.
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

/// The payments of an account.
pub struct Account {
    pub store: DynamoStore,
}

/// What the sandbox tells of itself.
#[derive(Deserialize)]
struct Ready {
    aws_endpoint: String,
    region: String,
    table: String,
}

impl AccountArgs {
    pub fn open(&self) -> anyhow::Result<Account> {
        let (config, table) = if self.sandbox {
            let path = &self.sandbox_ready;
            let ready = std::fs::read(path)
                .with_context(|| format!("no sandbox is running: {}", path.display()))?;
            let ready: Ready = serde_json::from_slice(&ready)
                .with_context(|| format!("{} cannot be read", path.display()))?;
            let key = SANDBOX_CREDENTIALS;
            let credentials = Credentials::new(key, key, None, None, "sandbox");
            let config = aws::config(ready.region, credentials, Some(ready.aws_endpoint));
            (config, ready.table)
        } else {
            let table = self.table.clone();
            let table = table.context("--table or TABLE_NAME is missing")?;
            (aws::from_environment()?, table)
        };
        Ok(Account {
            store: DynamoStore::new(&config, table),
        })
    }
}
