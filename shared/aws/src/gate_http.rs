//! Gate over HTTPS.

use std::time::Duration;

use ecommpay::answer::Answer;
use ecommpay::json::Limits;
use payments::log::Line;
use payments::ports::{Gate, NoAnswer};

use crate::https::Host;
pub use crate::https::TlsError;

/// The time limit of a whole call. It is shorter than the time limit of a function.
const TIMEOUT: Duration = Duration::from_secs(8);
/// A larger answer to a sale, a refund or a clarification counts as no answer. Real answers are smaller.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// A larger answer to a status request is skipped ([`NoAnswer::TooLarge`]). The answer lists every operation of a payment.
const MAX_STATUS_BYTES: usize = Limits::ANSWER.bytes;

/// A client of Gate.
#[derive(Debug, Clone)]
pub struct HttpGate(Host);

impl HttpGate {
    /// Creates a client of Gate at `base_url`, which [`crate::config::base_url`] has checked.
    pub fn new(base_url: impl Into<String>) -> Result<Self, TlsError> {
        Host::new(base_url, TIMEOUT).map(Self)
    }

    /// Connects before the first request; see [`crate::prewarm`].
    pub async fn prewarm(&self) {
        self.0.prewarm().await;
    }
}

impl Gate for HttpGate {
    async fn post(&self, path: &'static str, body: Vec<u8>) -> Answer {
        match self.0.post(path, body, MAX_ANSWER_BYTES).await {
            Ok((status, answer)) => Answer::read(status, &answer),
            Err(problem) => {
                Line::warn("Gate did not answer")
                    .with("path", path)
                    .with("problem", problem.to_string())
                    .write();
                Answer::Unclear
            }
        }
    }

    async fn query(&self, path: &'static str, body: Vec<u8>) -> Result<Vec<u8>, NoAnswer> {
        match self.0.post(path, body, MAX_STATUS_BYTES).await {
            Ok((200, answer)) => Ok(answer.into()),
            Ok((status, _)) => Err(NoAnswer::Failed(format!("HTTP status {status}"))),
            Err(problem) => Err(problem.into()),
        }
    }
}
