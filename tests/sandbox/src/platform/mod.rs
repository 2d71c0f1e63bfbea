//! The simulated platform: Gate, the bank's pages and the callbacks behind one local address.
//!
//! Requests of merchants come in by `gate` and `data_api`, shoppers by `payment_page`, `dashboard_link` and `bank`.
//! `records` holds the payments and changes them, `payment_status` derives a payment's status, `flow` lets time pass,
//! and `callbacks` reports each change to the merchant. `control` is the API that drives the simulation; its switches
//! are in `faults`.

mod bank;
mod callbacks;
mod clarification;
mod codes;
mod connection;
mod control;
mod dashboard_link;
mod data_api;
mod faults;
mod flow;
mod gate;
mod gate_status;
mod ids;
mod messages;
mod operation;
mod order;
mod pages;
mod payment;
mod payment_link;
mod payment_page;
mod payment_status;
mod php_json;
mod records;
mod request;
mod schedule;
mod signing;
mod start_page;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use ecommpay::ProjectKey;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use data_api::{KEY as DATA_API_KEY, TOKEN as DATA_API_TOKEN};
use request::Project;

/// How long [`Platform::stop`] waits for answers under way.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// How long one delivery of a callback may take, in real time.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);

/// What a simulated platform needs to know.
#[derive(Clone)]
pub struct Settings {
    /// The only project that it serves.
    pub project_id: u32,
    /// That project's secret key.
    pub key: String,
    /// All pauses are divided by this; 1.0 is real time.
    pub clock_speed: f64,
}

/// A running simulated platform. Dropping it ends its tasks.
pub struct Platform {
    shared: Arc<Shared>,
    server: JoinHandle<()>,
    /// Everything that runs ends when this is gone.
    running: watch::Sender<()>,
}

impl Platform {
    /// Starts to serve on `listener`, which should be bound to 127.0.0.1.
    pub async fn start(listener: TcpListener, settings: Settings) -> anyhow::Result<Platform> {
        let speed = settings.clock_speed;
        anyhow::ensure!(
            speed.is_finite() && speed > 0.0,
            "the clock speed must be above 0"
        );
        let port = listener.local_addr()?.port();
        let (running, watched) = watch::channel(());
        let shared = Arc::new(Shared {
            port,
            clock_speed: speed,
            project: Project {
                id: settings.project_id,
                key: ProjectKey::new(&settings.key)?,
            },
            client: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(DELIVERY_TIMEOUT)
                .build()
                .context("no HTTP client for callbacks")?,
            running: watched,
            state: Mutex::new(World {
                records: records::Records::default(),
                faults: faults::FaultBoard::default(),
                callbacks: callbacks::CallbackLog::default(),
                requests: gate::Counters::default(),
                ids: ids::Ids::new(&settings.key, OffsetDateTime::now_utc())?,
                callback_url: None,
            }),
        });
        let app = Router::new()
            .merge(gate::routes())
            .merge(data_api::routes())
            .merge(bank::routes())
            .merge(payment_page::routes())
            .merge(dashboard_link::routes())
            .merge(control::routes())
            .with_state(shared.clone())
            .into_make_service_with_connect_info::<connection::ConnectionCutter>();
        let end = shared.clone();
        let server = tokio::spawn(async move {
            let served = axum::serve(connection::CuttableListener(listener), app);
            // Accepting never fails for good, and the end of it all is no failure.
            let _ = served
                .with_graceful_shutdown(async move { end.stopped().await })
                .await;
        });
        Ok(Platform {
            shared,
            server,
            running,
        })
    }

    /// Its address, without a slash at the end.
    pub fn address(&self) -> String {
        self.shared.address()
    }

    /// Sets the project's address for callbacks; it counts for all attempts from now on.
    pub fn set_callback_url(&self, url: &str) {
        self.shared.state().callback_url = Some(url.to_owned());
    }

    /// Ends all tasks and gives the port back.
    pub async fn stop(self) {
        drop(self.running);
        let mut server = self.server;
        if tokio::time::timeout(LAST_ANSWERS, &mut server)
            .await
            .is_err()
        {
            server.abort();
        }
    }
}

/// What all parts of the platform share.
struct Shared {
    port: u16,
    clock_speed: f64,
    project: Project,
    client: reqwest::Client,
    running: watch::Receiver<()>,
    state: Mutex<World>,
}

/// What changes while the platform runs.
struct World {
    records: records::Records,
    faults: faults::FaultBoard,
    callbacks: callbacks::CallbackLog,
    requests: gate::Counters,
    ids: ids::Ids,
    callback_url: Option<String>,
}

impl Shared {
    fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The state; never held while anything is awaited.
    fn state(&self) -> MutexGuard<'_, World> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the platform ends.
    async fn stopped(&self) {
        let mut running = self.running.clone();
        while running.changed().await.is_ok() {}
    }

    /// Runs a task that ends with the platform.
    fn spawn(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        let shared = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = task => {}
                () = shared.stopped() => {}
            }
        });
    }

    /// A pause of the platform, shortened by the clock.
    async fn pause(&self, real: Duration) {
        let scaled = real.as_secs_f64() / self.clock_speed;
        // A slow clock can make a pause too long to be written down; then it never ends.
        match Duration::try_from_secs_f64(scaled) {
            Ok(pause) => tokio::time::sleep(pause).await,
            Err(_) => std::future::pending().await,
        }
    }
}
