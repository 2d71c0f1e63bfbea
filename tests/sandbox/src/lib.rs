//! The sandbox: the real functions behind the real template in a local AWS, with everything around them that a
//! payment needs. It is the program behind `cargo run`, and end-to-end tests start it in their own process.
//!
//! The order of a start: take the public addresses, so that a taken port is known at once; find Python and its
//! packages; read from the template which binaries it needs; build them while the local AWS starts; open the platform;
//! deploy; put in the keys; open the API's address and the shop. A sandbox shares nothing with another one except what lasts: the Python packages and cargo's output.

pub mod deploy;
pub mod deploy_script;
pub mod functions;
mod html;
pub mod local_aws;
pub mod options;
pub mod platform;
pub mod progress;
mod provision;
pub mod proxy;
pub mod python;
pub mod ready;
pub mod shop;
pub mod signals;
pub mod supervised;
pub mod workspace;

use std::collections::BTreeMap;
use std::future::Future;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use payments::schedule::Schedule;
use tokio::net::TcpListener;

pub use crate::options::Options;
pub use crate::ready::Ready;

use crate::deploy::Deployer;
use crate::deploy_script::DeployScript;
use crate::local_aws::{LocalAws, REGION};
use crate::platform::Platform;
use crate::progress::say;
use crate::proxy::Proxy;
use crate::shop::Shop;
use crate::shop::delivery::{Delivery, SampleMemory};
use crate::shop::fulfilment::Fulfilment;
use crate::shop::history::History;
use crate::supervised::Supervisor;
use crate::workspace::Folder;

/// A running sandbox. Dropping it stops everything too, without waiting for the end.
pub struct Sandbox {
    ready: Ready,
    aws: LocalAws,
    // Held for their drop, which closes the public addresses.
    _proxy: Proxy,
    _shop: Shop,
    platform: Platform,
    supervisor: Supervisor,
    folder: Folder,
}

impl Sandbox {
    /// Starts a sandbox. When it fails, everything it had started is gone again.
    ///
    /// # Errors
    ///
    /// When something is missing on this machine or a step fails; one sentence says what.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        Self::start_unless(options, std::future::pending::<()>())
            .await?
            .context("The start was given up")
    }

    /// Like [`Sandbox::start`], but gives up when `given_up` ends first; then there is no sandbox and nothing of it
    /// left.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::start`].
    pub async fn start_unless<T>(
        options: Options,
        given_up: impl Future<Output = T>,
    ) -> anyhow::Result<Option<Self>> {
        let addresses = Addresses::take(&options).await?;
        let python = python::find().await?;
        let supervisor = Supervisor::new(&python.path);
        let started = tokio::select! {
            started = up(&options, addresses, &python, &supervisor) => started.map(Some),
            _ = given_up => Ok(None),
        };
        if !matches!(started, Ok(Some(_))) {
            // What was running was dropped with the future above and is ending.
            supervisor.all_gone().await;
        }
        started
    }

    /// Where everything is.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// A supervisor for a test's own programs; they end with the sandbox's process.
    pub fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// The local AWS's log, in which each function call leaves its lines too.
    pub fn aws_log(&self) -> &Path {
        self.aws.log()
    }

    /// The script that deploys, where [`Options::by_script`] asked for it.
    ///
    /// # Errors
    ///
    /// When its folder cannot be made.
    pub fn deploy_script(&self, python: &Path) -> anyhow::Result<DeployScript> {
        let endpoint = self.aws.endpoint();
        DeployScript::new(&self.supervisor, python, &self.folder, endpoint)
    }

    /// A file in the sandbox's own folder.
    pub fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.file(name)
    }

    /// Waits until something the sandbox cannot do without has ended by itself, and says what.
    pub async fn failed(&self) -> anyhow::Error {
        self.aws.ended().await;
        anyhow::anyhow!(
            "The local AWS ended unexpectedly; its log is {}",
            self.aws.log().display()
        )
    }

    /// Stops everything and waits until it is gone.
    pub async fn stop(self) {
        self.platform.stop().await;
        self.aws.stop().await;
    }
}

/// The public addresses, bound before anything else is done.
struct Addresses {
    api: TcpListener,
    shop: TcpListener,
    platform: TcpListener,
}

impl Addresses {
    async fn take(options: &Options) -> anyhow::Result<Self> {
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
        .with_context(|| format!("Port {port} cannot be used, choose another one with {option}"))
}

fn url(listener: &TcpListener) -> anyhow::Result<String> {
    Ok(format!(
        "http://{}",
        listener.local_addr().context("A listener has no address")?
    ))
}

async fn up(
    options: &Options,
    addresses: Addresses,
    python: &python::Python,
    supervisor: &Supervisor,
) -> anyhow::Result<Sandbox> {
    let python = python::environment(python, supervisor).await?;
    let folder = Folder::new()?;
    let template = options
        .template
        .clone()
        .unwrap_or_else(|| workspace::root().join("infra/template.yaml"));
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

    let binaries = deployer.binaries().await?;
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
    let parameters = parameters(options, &proxy.url(), &platform.address());
    let outputs = if options.by_script {
        let script = DeployScript::new(supervisor, &python, &folder, aws.endpoint())?;
        script.deploy(&binaries, &parameters).await?;
        deployer.outputs(&aws).await?
    } else {
        deployer.deploy(&aws, &binaries, &parameters).await?
    };
    let shop_address = url(&addresses.shop)?;
    let account = provision::Account::new(&aws);
    let (key, secret) = (&options.key, outputs.get("ProjectKeysSecret")?);
    account
        .put_project_key(secret, options.project, key)
        .await?;
    let token_secret = outputs.get("DataApiTokenSecret")?;
    account.put_data_api_token(token_secret).await?;
    let table = outputs.get("TableName")?;
    let storefront_key = account
        .put_storefront(table, options.project, &shop_address)
        .await?;
    proxy.set_target(aws.api(outputs.get("ApiId")?));

    let shop = shop::Settings {
        api: proxy.url(),
        storefront_key: storefront_key.clone(),
        address: shop_address.clone(),
    };
    let memory = outputs.find("FulfilmentMemoryName").map(str::to_owned);
    let history = Arc::new(History::default());
    let delivery = match &memory {
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
        table: table.to_owned(),
        queues: outputs.ending("QueueUrl"),
        dead_letters: outputs.ending("DeadLettersUrl"),
        project_keys_secret: secret.to_owned(),
        data_api_token_secret: token_secret.to_owned(),
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
        folder,
    })
}

/// The template's parameters, as far as they are not its defaults.
fn parameters(options: &Options, api: &str, platform: &str) -> BTreeMap<String, String> {
    let payment_page = format!("{platform}/payment");
    let times = divided(&Schedule::default(), options.divide_times);
    let mut parameters = vec![
        ("PublicBaseUrl", api),
        ("GateUrl", platform),
        ("PaymentPageUrl", &payment_page),
        ("DataApiUrl", platform),
        // The local AWS speaks plain HTTP.
        ("TlsOnly", "false"),
        // Nobody has half a minute's patience here.
        ("UnsentGraceSeconds", "2"),
    ];
    if options.divide_times > 1 {
        parameters.extend(times.iter().map(|(name, value)| (*name, value.as_str())));
    }
    if options.sample_consumer {
        parameters.push(("SampleConsumer", "true"));
    }
    parameters
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .chain(options.parameters.clone())
        .collect()
}

/// The template's parameters of a schedule that runs so many times faster.
fn divided(schedule: &Schedule, by: u32) -> [(&'static str, String); 5] {
    let seconds = |time: &Duration| (time.as_secs_f64() / f64::from(by)).to_string();
    let delays: Vec<String> = schedule.poll_delays.iter().map(seconds).collect();
    [
        ("QuestionPauses", delays.join(",")),
        (
            "RedirectPollSeconds",
            seconds(&schedule.redirect_poll_delay),
        ),
        ("QuestionsEndSeconds", seconds(&schedule.poll_until)),
        ("CheckoutGraceSeconds", seconds(&schedule.checkout_grace)),
        ("CustomerKeptSeconds", seconds(&schedule.customer_retention)),
    ]
}
