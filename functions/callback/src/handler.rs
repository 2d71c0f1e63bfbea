//! Serves `POST /callbacks`: verifies and applies a callback, logs one line, and answers with a status.

use std::time::Instant;

use aws::environment::{self, Environment, LivePayments};
use aws::prewarm;
use aws::secrets::CachedProjectKeys;
use lambda_http::{Error, Request, Response};
use payments::api::problem::ExternalCause;
use payments::service::callback::{Handled, Outcome, Refusal};

use crate::http_status::http_status;
use crate::log_line::log_line;

/// Receives the platform's callbacks.
pub struct Callbacks {
    payments: LivePayments,
    keys: CachedProjectKeys,
}

impl Callbacks {
    /// Reads the environment variables that the template sets.
    pub fn from_environment() -> Result<Self, Error> {
        let environment = Environment::load()?;
        Ok(Self::new(
            environment.payments()?,
            environment.project_keys()?,
        ))
    }

    /// Opens connections and reads secrets before the first callback arrives.
    pub async fn prewarm(&self) {
        let all = async { tokio::join!(environment::prewarm(&self.payments), self.keys.prewarm()) };
        prewarm::within_limit(all).await;
    }

    /// Creates a receiver that applies callbacks to `payments` and verifies their signatures with `keys`.
    pub fn new(payments: LivePayments, keys: CachedProjectKeys) -> Self {
        Self { payments, keys }
    }

    /// Handles one callback.
    pub async fn handle(&self, request: Request) -> Response<String> {
        let start = Instant::now();
        let handled = self.apply(request.body().as_ref()).await;
        log_line(&handled, start.elapsed()).write();
        let mut response = Response::new(String::new());
        *response.status_mut() = http_status(handled.outcome);
        if handled.is_contention {
            response.extensions_mut().insert(ExternalCause);
        }
        response
    }

    async fn apply(&self, body: &[u8]) -> Handled {
        let keys = match self.keys.get().await {
            Ok(keys) => keys,
            Err(error) => {
                return Handled {
                    error: Some(error.to_string()),
                    ..Handled::new(Outcome::NoKeys)
                };
            }
        };
        let handled = self.payments.apply_callback(body, &keys).await;
        // The cached keys can be out of date. After `Unsigned`, they can lack the key that signed the callback. After
        // `ForeignProject`, they can list this key only for another project.
        if !matches!(
            handled.outcome,
            Outcome::Refused(Refusal::Unsigned | Refusal::ForeignProject)
        ) {
            return handled;
        }
        match self.keys.refresh_if_stale(&keys).await {
            Some(keys) => self.payments.apply_callback(body, &keys).await,
            None => handled,
        }
    }
}
