//! Serves the simulated platform: Gate, Payment Page, the Data API, the bank's pages and the callbacks on one local
//! port.
//!
//! | folder | holds |
//! | --- | --- |
//! | `gate` | the endpoints for merchants: sale, refund, clarification and status |
//! | `data_api` | the list of completed operations |
//! | `payment_page`, `bank` | the pages for shoppers |
//! | `records` | the payments, and the changes of a payment as methods without I/O |
//! | `messages` | the platform's messages, their codes and their signatures |
//! | `callbacks` | the delivery of callbacks, and the schedule of repeats |
//! | `faults` | the switches |
//! | `control` | the HTTP API that reads the records, sets the switches and triggers actions |
//!
//! `timers` makes delayed changes, and `shared` holds the state that all parts use.
//!
//! The words are those of the real platform. A *merchant* is a client of the platform. In the sandbox, our service is
//! the merchant. The *provider* moves the money for the platform. A *held* payment waits for a decision of the
//! platform's support.

mod bank;
mod callbacks;
mod control;
mod data_api;
mod faults;
mod gate;
mod html;
pub(crate) mod ids;
pub(crate) mod messages;
mod payment_page;
pub(crate) mod records;
mod shared;
#[cfg(test)]
mod tests;
mod timers;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use data_api::{KEY as DATA_API_KEY, TOKEN as DATA_API_TOKEN};
pub use shared::Settings;

use gate::connection::ConnectionCutter;
use shared::Shared;

/// [`Platform::stop`] cuts requests that are still open after this time.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// A running simulated platform. Dropping this value ends all tasks.
pub struct Platform {
    shared: Arc<Shared>,
    server: JoinHandle<()>,
    /// Dropping this sender ends all tasks.
    running: watch::Sender<()>,
}

impl Platform {
    /// Starts to serve on `listener`, which should be bound to 127.0.0.1. The clock speed must be above 0.
    pub async fn start(listener: TcpListener, settings: Settings) -> anyhow::Result<Platform> {
        let port = listener.local_addr()?.port();
        let (running, watched) = watch::channel(());
        let shared = Arc::new(Shared::new(port, &settings, watched)?);
        let app = Router::new()
            .merge(gate::routes())
            .merge(data_api::routes())
            .merge(bank::routes())
            .merge(payment_page::routes())
            .merge(control::routes())
            .with_state(shared.clone())
            .into_make_service_with_connect_info::<ConnectionCutter>();
        let stopping = shared.clone();
        let server = tokio::spawn(async move {
            let served = axum::serve(listener, app);
            // `axum::serve` retries a failed accept and never returns an error.
            let _ = served
                .with_graceful_shutdown(async move { stopping.stopped().await })
                .await;
        });
        Ok(Platform {
            shared,
            server,
            running,
        })
    }

    /// Returns the base URL of the platform, without a trailing slash.
    pub fn address(&self) -> String {
        self.shared.address()
    }

    /// Sets the project's callback URL, also for the repeats of earlier callbacks.
    pub fn set_callback_url(&self, url: &str) {
        self.shared.state().callback_url = Some(url.to_owned());
    }

    /// Ends all tasks and releases the port.
    pub async fn stop(self) {
        drop(self.running);
        let mut server = self.server;
        if tokio::time::timeout(STOP_TIMEOUT, &mut server)
            .await
            .is_err()
        {
            server.abort();
        }
    }
}
