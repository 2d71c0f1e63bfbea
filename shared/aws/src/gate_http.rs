//! Implements the port of Gate over HTTPS.

use std::time::Duration;

use ecommpay::Keyring;
use ecommpay::answer::{Answer, is_signature_refused};
use ecommpay::fields::ProjectId;
use ecommpay::json::Limits;
use payments::log::Line;
use payments::ports::{Gate, NoAnswer};

use crate::https::Host;
pub use crate::https::TlsError;
use crate::secrets::CachedProjectKeys;

/// The time limit of a call. Every function has a longer time limit.
const TIMEOUT: Duration = Duration::from_secs(8);
/// The maximum size of an answer to a sale, a refund or a clarification. A larger answer is [`Answer::Unclear`].
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// The maximum size of an answer to a status request. This answer lists every operation of the payment. A larger answer
/// is [`NoAnswer::TooLarge`].
const MAX_STATUS_BYTES: usize = Limits::ANSWER.bytes;

/// A client of Gate.
#[derive(Debug, Clone)]
pub struct HttpGate(Host);

impl HttpGate {
    /// Creates a client. `base_url` must have passed the check of [`crate::config::base_url`].
    pub fn new(base_url: impl Into<String>) -> Result<Self, TlsError> {
        Host::new(base_url, TIMEOUT).map(Self)
    }

    /// Returns a client that can fetch newer project keys if the platform refuses a signature.
    pub fn with_keys<'a>(&'a self, keys: &'a CachedProjectKeys) -> KeyedGate<'a> {
        KeyedGate { gate: self, keys }
    }

    /// Connects before the first request; see [`crate::prewarm`].
    pub async fn prewarm(&self) {
        self.0.prewarm().await;
    }
}

/// A client of Gate with the cache of the project keys.
#[derive(Debug, Clone, Copy)]
pub struct KeyedGate<'a> {
    gate: &'a HttpGate,
    keys: &'a CachedProjectKeys,
}

impl Gate for KeyedGate<'_> {
    async fn post(&self, path: &'static str, body: Vec<u8>) -> Answer {
        self.gate.post(path, body).await
    }

    async fn query(&self, path: &'static str, body: Vec<u8>) -> Result<Vec<u8>, NoAnswer> {
        self.gate.query(path, body).await
    }

    async fn newer_keyring(
        &self,
        project_id: ProjectId,
        known: &Keyring,
    ) -> Result<Option<Keyring>, NoAnswer> {
        let newer = self.keys.newer(project_id, known).await;
        newer.map_err(|error| NoAnswer::Failed(error.to_string()))
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
            Ok((_, answer)) if is_signature_refused(&answer) => Err(NoAnswer::SignatureRefused),
            Ok((200, answer)) => Ok(answer.into()),
            Ok((status, _)) => Err(NoAnswer::Failed(format!("HTTP status {status}"))),
            Err(problem) => Err(problem.into()),
        }
    }
}
