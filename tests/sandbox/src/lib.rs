//! Runs the sandbox: the real functions and the real template in a local AWS, with a simulated platform and a demo
//! shop. The program behind `cargo run` starts one sandbox. End-to-end tests start sandboxes in their own process.
//!
//! A start has these steps:
//! 1. Bind the public addresses, so that the start fails immediately if a port is in use.
//! 2. Find Python and install the pinned packages.
//! 3. Start the proxy and the platform.
//! 4. Build the binaries that the template names, while the local AWS starts.
//! 5. Deploy the template and store the keys.
//! 6. Set the target of the proxy and start the shop.
//!
//! Sandboxes share only the Python packages and cargo's output.

pub mod deploy;
pub mod deploy_script;
pub mod functions;
mod html;
pub mod local_aws;
pub mod options;
mod parameters;
pub mod platform;
pub mod progress;
mod provision;
pub mod proxy;
pub mod ready;
pub mod rehearsal;
pub mod shop;
pub mod workspace;

use std::future::Future;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;
use tools::Supervisor;

pub use crate::options::Options;
pub use crate::ready::Ready;

use crate::deploy::Deployer;
use crate::deploy_script::DeployScript;
use crate::local_aws::{LocalAws, REGION};
use crate::platform::Platform;
use crate::progress::say;
use crate::provision::{Account, Tables};
use crate::proxy::Proxy;
use crate::shop::Shop;
use crate::shop::delivery::{Delivery, SampleMemory};
use crate::shop::fulfilment::Fulfilment;
use crate::shop::history::History;
use crate::shop::webhooks::Webhooks;
use crate::workspace::Folder;

/// A running sandbox. Dropping this value stops all processes, but does not wait until the processes have ended.
pub struct Sandbox {
    ready: Ready,
    aws: LocalAws,
    // Dropping these fields closes the public addresses.
    _proxy: Proxy,
    _shop: Shop,
    platform: Platform,
    supervisor: Supervisor,
    python: PathBuf,
    folder: Folder,
}

impl Sandbox {
    /// Starts a sandbox. If the start fails, all processes of the sandbox have ended when this function returns. An
    /// error message is one sentence.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        Self::start_unless(options, std::future::pending::<()>())
            .await?
            .context("The start was cancelled")
    }

    /// Starts a sandbox like [`Sandbox::start`]. If `cancelled` completes before the sandbox has started, ends all
    /// processes of the sandbox and returns `None`.
    pub async fn start_unless<T>(
        options: Options,
        cancelled: impl Future<Output = T>,
    ) -> anyhow::Result<Option<Self>> {
        let addresses = Addresses::bind(&options).await?;
        let supervisor = Supervisor::new()?;
        let started = tokio::select! {
            started = start(&options, addresses, &supervisor) => started.map(Some),
            _ = cancelled => Ok(None),
        };
        if !matches!(started, Ok(Some(_))) {
            // A start that failed or was cancelled has stopped its programs, but the programs need time to end.
            supervisor.all_ended().await;
        }
        started
    }

    /// Returns the addresses and names of everything in the sandbox.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Returns a supervisor with which a test can start programs. The programs end with this process.
    pub fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// Returns the Python interpreter whose packages include the local AWS and the AWS SDK.
    pub fn python(&self) -> &Path {
        &self.python
    }

    /// Returns the log of the local AWS, which includes the functions' logs.
    pub fn aws_log(&self) -> &Path {
        self.aws.log()
    }

    /// Returns the deployment script, which deployed the stack if [`Options::by_script`] is set.
    pub fn deploy_script(&self) -> anyhow::Result<DeployScript> {
        DeployScript::new(&self.supervisor, &self.folder, self.aws.endpoint())
    }

    /// Returns a file in the sandbox's own folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.file(name)
    }

    /// Waits until the local AWS ends by itself, and returns an error that names its log.
    pub async fn failed(&self) -> anyhow::Error {
        self.aws.ended().await;
        anyhow::anyhow!(
            "The local AWS ended unexpectedly; its log is {}",
            self.aws.log().display()
        )
    }

    /// Stops everything and waits until everything has ended.
    pub async fn stop(self) {
        self.platform.stop().await;
        self.aws.stop().await;
    }
}

struct Addresses {
    api: TcpListener,
    shop: TcpListener,
    platform: TcpListener,
}

impl Addresses {
    async fn bind(options: &Options) -> anyhow::Result<Self> {
        Ok(Self {
            api: listen(options.port.unwrap_or(0), "--port").await?,
            shop: listen(options.shop_port.unwrap_or(0), "--shop-port").await?,
            platform: listen(options.platform_port.unwrap_or(0), "--platform-port").await?,
        })
    }
}

async fn listen(port: u16, option: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .with_context(|| format!("Port {port} cannot be used; choose another port with {option}"))
}

fn url(listener: &TcpListener) -> anyhow::Result<String> {
    Ok(format!(
        "http://{}",
        listener.local_addr().context("A listener has no address")?
    ))
}

async fn start(
    options: &Options,
    addresses: Addresses,
    supervisor: &Supervisor,
) -> anyhow::Result<Sandbox> {
    let python = local_aws::python(supervisor).await?;
    let folder = Folder::new()?;
    let template = options
        .template
        .clone()
        .unwrap_or_else(|| tools::root().join("infra/template.yaml"));
    let deployer = Deployer {
        supervisor,
        python: &python,
        folder: &folder,
        template: &template,
    };

    let proxy = Proxy::start(addresses.api, options.follow)?;
    let platform = platform::Settings {
        project_id: options.project,
        key: options.key.clone(),
        clock_speed: 1.0,
    };
    let platform = Platform::start(addresses.platform, platform).await?;
    platform.set_callback_url(&format!("{}/callbacks", proxy.url()));

    let binaries = functions::binaries(&template)?;
    say("Building the functions and starting the local AWS");
    let (binaries, aws) = tokio::try_join!(
        functions::build(supervisor, &binaries),
        LocalAws::start(
            supervisor,
            &python,
            &folder,
            options.functions_endpoint.as_deref()
        )
    )?;

    say("Deploying the template");
    let parameters = parameters::parameters(options, &proxy.url(), &platform.address());
    let outputs = if options.by_script {
        let script = DeployScript::new(supervisor, &folder, aws.endpoint())?;
        script.deploy(&binaries, &parameters).await?;
        deployer.outputs(&aws).await?
    } else {
        deployer.deploy(&aws, &binaries, &parameters).await?
    };
    let shop_address = url(&addresses.shop)?;
    let account = Account::new(&aws);
    let (key, secret) = (&options.key, outputs.get("ProjectKeysSecret")?);
    account
        .put_project_key(secret, options.project, key)
        .await?;
    let token_secret = outputs.get("DataApiTokenSecret")?;
    account.put_data_api_token(token_secret).await?;
    let tables = Tables {
        payments: outputs.get("TableName")?,
        storefront_keys: outputs.get("StorefrontKeysTableName")?,
    };
    let storefront_key = account
        .put_storefront(tables, options.project, &shop_address)
        .await?;
    proxy.set_target(aws.api(outputs.get("ApiId")?));

    let shop = shop::Settings {
        api: proxy.url(),
        storefront_key: storefront_key.clone(),
        address: shop_address.clone(),
    };
    let optional = |output| outputs.find(output).map(str::to_owned);
    let memory = optional("FulfilmentMemoryName");
    let history = Arc::new(History::default());
    let delivery = match &memory {
        _ if options.webhook_shop => {
            let endpoints = outputs.get("WebhookEndpointsTableName")?;
            let secret = outputs.get("WebhookSecret")?;
            let secret =
                account.put_endpoint(tables, endpoints, secret, options.project, &shop_address);
            Delivery::Webhooks(Webhooks::new(secret.await?, Arc::clone(&history)))
        }
        Some(table) => Delivery::Sample(SampleMemory {
            client: account.tables(),
            table: table.clone(),
            project: options.project,
        }),
        None => {
            let queue = outputs.get("FulfilmentQueueUrl")?;
            let history = Arc::clone(&history);
            Delivery::Queue(Fulfilment::start(
                account.queues(),
                queue.to_owned(),
                history,
            ))
        }
    };
    let ready = Ready {
        api: proxy.url(),
        shop: shop_address,
        platform: platform.address(),
        aws_endpoint: aws.endpoint().to_owned(),
        region: REGION.to_owned(),
        table: tables.payments.to_owned(),
        storefront_keys_table: tables.storefront_keys.to_owned(),
        queues: outputs.ending("QueueUrl"),
        dead_letters: outputs.ending("DeadLettersUrl"),
        project_keys_secret: secret.to_owned(),
        data_api_token_secret: token_secret.to_owned(),
        webhook_endpoints_table: optional("WebhookEndpointsTableName"),
        webhook_deliveries_table: optional("WebhookDeliveriesTableName"),
        webhook_secret: optional("WebhookSecret"),
        functions: outputs.ending("FunctionName"),
        fulfilment_memory: memory,
        storefront_key,
        project_id: options.project,
        project_key: options.key.clone(),
    };
    Ok(Sandbox {
        ready,
        aws,
        _proxy: proxy,
        _shop: Shop::start(addresses.shop, shop, delivery, history)?,
        platform,
        supervisor: supervisor.clone(),
        python,
        folder,
    })
}
