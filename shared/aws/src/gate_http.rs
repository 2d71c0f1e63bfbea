//! Gate over HTTPS.

use std::time::Duration;

use ecommpay::answer::Answer;
use ecommpay::json::Limits;

pub use super::https::TlsError;

use super::https::Host;
use payments::log::Line;
use payments::ports::{Gate, NoAnswer};

/// The time for the whole call; shorter than the function's own.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
/// More than any answer of Gate to a request.
const REPLY_AT_MOST: usize = 64 * 1024;
/// More than any answer to a question: it lists every operation of a payment.
const ANSWER_AT_MOST: usize = Limits::ANSWER.bytes;

/// The Gate host.
#[derive(Debug, Clone)]
pub struct HttpGate(Host);

impl HttpGate {
    /// Gate at `base_url` (no slash at its end), checked by [`crate::config::base_url`].
    pub fn new(base_url: impl Into<String>) -> Result<Self, TlsError> {
        Host::new(base_url, ANSWER_WITHIN).map(Self)
    }

    /// Opens a connection before the first event; see [`crate::prewarm`]. Gate is asked
    /// for nothing: what it says to this does not matter.
    pub async fn prewarm(&self) {
        self.0.prewarm().await;
    }
}

impl Gate for HttpGate {
    async fn post(&self, path: &'static str, body: Vec<u8>) -> Answer {
        match self.0.post(path, body, REPLY_AT_MOST).await {
            Ok((status, reply)) => Answer::read(status, &reply),
            Err(problem) => {
                Line::warn("Gate did not answer")
                    .with("path", path)
                    .with("problem", problem)
                    .write();
                Answer::Unclear
            }
        }
    }

    async fn query(&self, path: &'static str, body: Vec<u8>) -> Result<Vec<u8>, NoAnswer> {
        match self.0.post(path, body, ANSWER_AT_MOST).await {
            Ok((200, answer)) => Ok(answer.into()),
            Ok((status, _)) => Err(NoAnswer(format!("HTTP status {status}"))),
            Err(problem) => Err(NoAnswer(problem)),
        }
    }
}
