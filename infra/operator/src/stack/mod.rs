//! Opens the stack on which a command works: reads the stack's resources and configures the AWS clients.

pub mod command;
pub mod invoke;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use aws::dynamodb::{DynamoStore, StorefrontKeys};
use aws::environment::LiveWebhooks;
use aws::sdk;
use aws::secrets::CachedWebhookSecret;
use aws_credential_types::Credentials;
use aws_types::SdkConfig;
use clap::Args;
use payments::model::webhook::{LoopbackHosts, RetrySchedule};
use payments::ports::SystemClock;
use payments::service::webhook::Webhooks;
use serde::Deserialize;

/// The key id and the secret key for the sandbox, which accepts any credentials.
const SANDBOX_CREDENTIALS: &str = "test";

#[derive(Args)]
pub struct StackArgs {
    /// The file about the stack that the deployment wrote.
    #[arg(long, env = "BANCONTACT_STACK", value_name = "FILE", global = true)]
    stack: Option<PathBuf>,
    /// Selects the running sandbox instead of a stack.
    #[arg(long, global = true)]
    sandbox: bool,
    /// The file that the sandbox wrote when it was ready.
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

pub struct Stack {
    pub config: SdkConfig,
    pub resources: Resources,
}

/// The resources of a stack, as the deployment or the sandbox wrote them to a file.
#[derive(Deserialize)]
pub struct Resources {
    /// The address of an emulator of AWS; `None` for AWS itself.
    aws_endpoint: Option<String>,
    region: String,
    /// The name of the payments' table.
    pub table: String,
    storefront_keys_table: String,
    /// The URLs of the queues of events, of work and of daily runs, by the queues' short names.
    pub queues: BTreeMap<String, String>,
    /// The URLs of the dead-letter queues, by the short names of the queues that they belong to.
    pub dead_letters: BTreeMap<String, String>,
    /// The names of the functions in AWS, by their short names.
    functions: BTreeMap<String, String>,
    pub project_keys_secret: String,
    pub data_api_token_secret: String,
    /// `None` if the stack posts no events to endpoints.
    #[serde(flatten)]
    webhooks: Option<WebhookResources>,
}

/// The resources that a stack has with the parameter `Webhooks`.
#[derive(Deserialize)]
struct WebhookResources {
    webhook_endpoints_table: String,
    webhook_deliveries_table: String,
    webhook_secret: String,
}

impl StackArgs {
    /// Reads the selected file and the credentials.
    pub fn open(&self) -> anyhow::Result<Stack> {
        let resources: Resources = if self.sandbox {
            read(&self.sandbox_ready).context("no sandbox is running")?
        } else {
            let file = self.stack.as_deref();
            read(file.context("one of --stack, BANCONTACT_STACK and --sandbox is required")?)?
        };
        let endpoint = resources.aws_endpoint.clone();
        let credentials = if self.sandbox {
            let key = SANDBOX_CREDENTIALS;
            Credentials::new(key, key, None, None, "sandbox")
        } else {
            sdk::credentials_from_environment()?
        };
        Ok(Stack {
            config: sdk::config(resources.region.clone(), credentials, endpoint),
            resources,
        })
    }
}

fn read(path: &Path) -> anyhow::Result<Resources> {
    let file = std::fs::read(path);
    let file = file.with_context(|| format!("{} cannot be read", path.display()))?;
    serde_json::from_slice(&file)
        .with_context(|| format!("{} does not describe a stack", path.display()))
}

impl Resources {
    fn webhooks(&self) -> anyhow::Result<&WebhookResources> {
        self.webhooks.as_ref().context(
            "the stack posts no events to endpoints: deploy it with the parameter Webhooks=true",
        )
    }
}

impl Stack {
    pub fn store(&self) -> DynamoStore {
        DynamoStore::new(&self.config, self.resources.table.clone())
    }

    pub fn storefront_keys(&self) -> StorefrontKeys {
        let table = self.resources.storefront_keys_table.clone();
        self.store().storefront_keys(table)
    }

    pub fn webhooks(&self) -> anyhow::Result<LiveWebhooks> {
        let (store, resources) = (self.store(), self.resources.webhooks()?);
        Ok(Webhooks {
            endpoints: store
                .webhook_endpoints(&resources.webhook_endpoints_table, self.loopback_hosts()),
            deliveries: store.webhook_deliveries(&resources.webhook_deliveries_table),
            clock: SystemClock,
            schedule: RetrySchedule::default(),
        })
    }

    /// Returns the secret from which the secrets of endpoints are derived.
    pub fn webhook_secret(&self) -> anyhow::Result<CachedWebhookSecret> {
        let secret = &self.resources.webhooks()?.webhook_secret;
        Ok(CachedWebhookSecret::new(&self.config, secret))
    }

    /// Only a stack in an emulator of AWS can have endpoints on this machine.
    pub fn loopback_hosts(&self) -> LoopbackHosts {
        match self.resources.aws_endpoint {
            Some(_) => LoopbackHosts::Allowed,
            None => LoopbackHosts::Refused,
        }
    }
}
