//! Measures how fast a shopper is redirected to a known redirect URL while many other clients wait.
//!
//! `ShopperFunction` has as many instances as the template reserves. As on Lambda, a request is refused if all
//! instances are busy.
//!
//! The waiting clients have checkouts without a redirect URL. Half of the clients request the page of the checkout, and
//! half of them request the page after the return from the bank. A client repeats its request after the time in the
//! header `Refresh` (1 s without this header), or immediately.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

use super::plan::Plan;
use super::platform::{Report, callback};
use super::pool::{Pool, Reply};
use super::progress::percentile_ms;
use super::queues::Queues;
use super::{SUPERVISED, World, built, check_log, run_supervised};
use crate::scenario::{event, order};
use crate::settings::default_of;

/// The time between two requests of the shopper whose redirect URL is known.
const SHOPPER_EVERY: Duration = Duration::from_millis(100);
/// A client waits this long after a refused request.
const AFTER_REFUSAL: Duration = Duration::from_secs(1);

/// The options of the measurement of waits.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// Folder with the built functions, NAME/bootstrap
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/lambda"))]
    functions: PathBuf,
    /// Number of waiting clients
    #[arg(long, default_value_t = 200)]
    clients: u32,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

/// Runs all measurements in a supervised copy of this program, and prints a table.
pub async fn command(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if std::env::var_os(SUPERVISED).is_none() {
        return run_supervised().await;
    }
    let folder = built(&arguments.functions)?;
    let world = World::start(Queues::losing(None)).await?;
    let instances = default_of("ShopperConcurrency")?.parse()?;
    let functions = Functions {
        checkouts: world
            .pool("checkout", &folder.join("checkout/bootstrap"), 2)
            .await?,
        callbacks: world
            .pool("callback", &folder.join("callback/bootstrap"), 1)
            .await?,
        shoppers: world
            .pool("shopper", &folder.join("checkout/bootstrap"), instances)
            .await?,
    };
    let functions = Arc::new(functions);
    let ready = functions.check_out(Plan(0)).await?;
    functions.send_redirect(Plan(0)).await?;
    let mut tokens = Vec::new();
    for number in 1..=arguments.clients {
        tokens.push(functions.check_out(Plan(number)).await?);
    }
    let clients = arguments.clients;
    println!(
        "{instances} instances, {clients} waiting clients, {} s each",
        arguments.seconds
    );
    println!(
        "| checkouts | clients request again | redirects | median ms | longest ms | refused |"
    );
    println!("| ---: | --- | ---: | ---: | ---: | ---: |");
    for (checkouts, pause) in [
        (1, Pause::AsThePageSays),
        (clients, Pause::AsThePageSays),
        (1, Pause::None),
        (clients, Pause::None),
    ] {
        let stop = Arc::new(AtomicBool::new(false));
        let mut waiting = JoinSet::new();
        for number in 0..clients {
            let token = tokens.get((number % checkouts) as usize);
            let token = token
                .context("there are fewer tokens than clients")?
                .clone();
            let (functions, stop) = (Arc::clone(&functions), Arc::clone(&stop));
            let path = if number % 2 == 0 { "" } else { "/return" };
            waiting.spawn(async move { functions.wait(&token, path, pause, &stop).await });
        }
        // In this second, the clients send their first requests.
        sleep(Duration::from_secs(1)).await;
        let length = Duration::from_secs(arguments.seconds);
        let measured = functions.measure(&ready, length).await?;
        stop.store(true, Ordering::Relaxed);
        while let Some(ended) = waiting.join_next().await {
            ended??;
        }
        println!("| {checkouts} | {pause} | {measured}");
    }
    check_log(world.log.path())?;
    Ok(ExitCode::SUCCESS)
}

/// When a client repeats its request.
#[derive(Debug, Clone, Copy)]
enum Pause {
    /// After the time in the page's header `Refresh`.
    AsThePageSays,
    None,
}

impl fmt::Display for Pause {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str(match self {
            Self::AsThePageSays => "when the page says so",
            Self::None => "immediately",
        })
    }
}

/// The redirects and the refused requests of the shopper whose redirect URL is known.
#[derive(Default)]
struct Measured {
    waits: Vec<Duration>,
    refused: u64,
}

impl fmt::Display for Measured {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.waits.len();
        let median = percentile_ms(&self.waits, 50.0);
        let longest = percentile_ms(&self.waits, 100.0);
        write!(
            text,
            "{count} | {median:.0} | {longest:.0} | {} |",
            self.refused
        )
    }
}

struct Functions {
    checkouts: Pool,
    callbacks: Pool,
    shoppers: Pool,
}

impl Functions {
    async fn check_out(&self, plan: Plan) -> anyhow::Result<String> {
        let mut order = order(&plan.payment_id());
        if let Some(order) = order.as_object_mut() {
            order.insert("expires_in".to_owned(), json!(86_400));
        }
        let event = event("POST /checkouts", None, &order.to_string());
        let reply = self.checkouts.invoke(event.to_string()).await?;
        let body = reply.body.unwrap_or_default();
        ensure!(
            reply.status_code == 201,
            "a checkout was answered {}: {body}",
            reply.status_code
        );
        let view: Value = serde_json::from_str(&body)?;
        let url = view.get("checkout_url").and_then(Value::as_str);
        let token = url.and_then(|url| url.rsplit('/').next());
        Ok(token.context("the answer has no checkout_url")?.to_owned())
    }

    async fn send_redirect(&self, plan: Plan) -> anyhow::Result<()> {
        let event = event("POST /callbacks", None, &callback(plan, Report::Redirect)?);
        let reply = self.callbacks.invoke(event.to_string()).await?;
        ensure!(
            reply.status_code == 200,
            "a callback was answered {}",
            reply.status_code
        );
        Ok(())
    }

    /// Returns `None` if no instance is idle.
    async fn get(&self, token: &str, path: &str) -> anyhow::Result<Option<Reply>> {
        let mut event = event(&format!("GET /checkouts/{{token}}{path}"), None, "");
        if let Some(event) = event.as_object_mut() {
            let raw_path = format!("/checkouts/{token}{path}");
            event.insert("rawPath".to_owned(), json!(raw_path));
            event.insert("pathParameters".to_owned(), json!({ "token": token }));
        }
        self.shoppers.try_invoke(event.to_string()).await
    }

    /// Requests a page repeatedly until `stop` is true.
    async fn wait(
        &self,
        token: &str,
        path: &str,
        pause: Pause,
        stop: &AtomicBool,
    ) -> anyhow::Result<()> {
        while !stop.load(Ordering::Relaxed) {
            let Some(reply) = self.get(token, path).await? else {
                sleep(AFTER_REFUSAL).await;
                continue;
            };
            let status = reply.status_code;
            ensure!(
                [200, 303].contains(&status),
                "a waiting client was answered {status}"
            );
            if let Pause::AsThePageSays = pause {
                let refresh = reply.headers.get("refresh").map(String::as_str);
                let seconds = refresh.and_then(|text| text.split(';').next()?.parse().ok());
                sleep(Duration::from_secs(seconds.unwrap_or(1))).await;
            }
        }
        Ok(())
    }

    /// Repeatedly requests the checkout whose redirect URL is known.
    async fn measure(&self, token: &str, length: Duration) -> anyhow::Result<Measured> {
        let mut measured = Measured::default();
        let mut ticks = interval(SHOPPER_EVERY);
        let begin = Instant::now();
        while begin.elapsed() < length {
            ticks.tick().await;
            let sent = Instant::now();
            match self.get(token, "").await? {
                Some(reply) => {
                    let status = reply.status_code;
                    let body = reply.body.unwrap_or_default();
                    ensure!(
                        status == 303,
                        "the shopper with a redirect URL was answered {status}: {body}"
                    );
                    measured.waits.push(sent.elapsed());
                }
                None => measured.refused += 1,
            }
        }
        Ok(measured)
    }
}
