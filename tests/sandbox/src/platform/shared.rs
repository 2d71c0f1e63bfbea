//! Holds the state of the platform, its clock and its background tasks.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use axum::extract::State;
use ecommpay::ProjectKey;
use time::OffsetDateTime;
use tokio::sync::watch;

use super::callbacks::log::CallbackLog;
use super::faults::{FaultBoard, Faults};
use super::gate::counters::RequestCounters;
use super::ids::Ids;
use super::messages::Project;
use super::messages::codes::Code;
use super::records::{Change, Payment, Records, Stamp};

/// The maximum wait for the answer to a callback, in real time.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);

/// The settings of a simulated platform.
#[derive(Clone)]
pub struct Settings {
    /// The platform serves only this project.
    pub project_id: u32,
    /// The secret key of the project.
    pub key: String,
    /// The divisor of the platform's delays. 1.0 is real time.
    pub clock_speed: f64,
}

/// The argument that gives a request handler the [`Shared`].
pub type App = State<Arc<Shared>>;

/// What request handlers and background tasks share.
pub struct Shared {
    pub port: u16,
    pub clock_speed: f64,
    pub project: Project,
    /// Delivers the callbacks.
    pub client: reqwest::Client,
    running: watch::Receiver<()>,
    state: Mutex<PlatformState>,
}

pub struct PlatformState {
    pub records: Records,
    pub faults: FaultBoard,
    pub callbacks: CallbackLog,
    pub requests: RequestCounters,
    pub ids: Ids,
    pub callback_url: Option<String>,
}

impl PlatformState {
    /// Changes a payment. `change` receives the payment, its switches, and ids for a new operation.
    pub fn change(
        &mut self,
        payment_id: &str,
        change: impl FnOnce(&mut Payment, &Faults, Stamp) -> Result<Change, Code>,
    ) -> Result<Change, Code> {
        let stamp = self.ids.stamp();
        let payment = self.records.find(payment_id)?;
        change(payment, self.faults.of(payment_id), stamp)
    }
}

impl Shared {
    /// The platform runs until the sender of `running` is dropped.
    pub fn new(
        port: u16,
        settings: &Settings,
        running: watch::Receiver<()>,
    ) -> anyhow::Result<Self> {
        let clock_speed = settings.clock_speed;
        anyhow::ensure!(
            clock_speed.is_finite() && clock_speed > 0.0,
            "the clock speed must be above 0"
        );
        Ok(Self {
            port,
            clock_speed,
            project: Project {
                id: settings.project_id,
                key: ProjectKey::new(&settings.key)?,
            },
            client: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(DELIVERY_TIMEOUT)
                .build()
                .context("the HTTP client for callbacks cannot be created")?,
            running,
            state: Mutex::new(PlatformState {
                records: Records::default(),
                faults: FaultBoard::default(),
                callbacks: CallbackLog::default(),
                requests: RequestCounters::default(),
                ids: Ids::new(&settings.key, OffsetDateTime::now_utc())?,
                callback_url: None,
            }),
        })
    }

    /// Returns the base URL without a trailing slash.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Never hold the guard across an `await`.
    pub fn state(&self) -> MutexGuard<'_, PlatformState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub async fn stopped(&self) {
        let mut running = self.running.clone();
        while running.changed().await.is_ok() {}
    }

    /// The task ends when the platform stops.
    pub fn spawn(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        let shared = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = task => {}
                () = shared.stopped() => {}
            }
        });
    }

    /// Waits for `real` divided by the clock speed.
    pub async fn pause(&self, real: Duration) {
        let scaled = real.as_secs_f64() / self.clock_speed;
        // With a slow clock, the result can be too long for a `Duration`. Then the pause never ends.
        match Duration::try_from_secs_f64(scaled) {
            Ok(pause) => tokio::time::sleep(pause).await,
            Err(_) => std::future::pending().await,
        }
    }
}
