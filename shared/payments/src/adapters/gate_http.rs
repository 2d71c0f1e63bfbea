//! Gate over HTTPS.
//!
//! Calls go to the configured host only. Redirects are not followed, replies are cut at 64 KiB,
//! and a request is never repeated from here: whoever asked decides, by the platform's rules.

use std::time::Duration;

use bytes::Bytes;
use ecommpay::answer::Answer;
use ecommpay::json::Limits;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::log::Line;
use crate::ports::{Gate, Unanswered};

/// The time for a connection to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// The time for the whole call; shorter than the function's own.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
/// Idle connections are closed before the other side does it in the middle of a request.
const IDLE_AT_MOST: Duration = Duration::from_secs(20);
/// More than any answer of Gate to a request.
const REPLY_AT_MOST: usize = 64 * 1024;
/// More than any answer to a question: it lists every operation of a payment.
const ANSWER_AT_MOST: usize = Limits::ANSWER.bytes;

/// The Gate host.
#[derive(Debug, Clone)]
pub struct HttpGate {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base_url: String,
}

impl HttpGate {
    /// Gate at `base_url` (no slash at its end), checked by [`crate::config::base_url`].
    pub fn new(base_url: impl Into<String>) -> Result<Self, TlsError> {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_WITHIN));
        connector.set_nodelay(true);
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| TlsError(error.to_string()))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_AT_MOST)
            .build(connector);
        Ok(Self {
            client,
            base_url: base_url.into(),
        })
    }

    /// The status and body of a reply of at most so many bytes.
    async fn exchange(
        &self,
        path: &str,
        body: Vec<u8>,
        most: usize,
    ) -> Result<(u16, Bytes), String> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{path}", self.base_url))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| error.to_string())?;
        let response = self.client.request(request).await.map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            format!("{error}: {}", cause.unwrap_or_default())
        })?;
        let status = response.status().as_u16();
        let reply = Limited::new(response.into_body(), most);
        let reply = reply.collect().await.map_err(|error| error.to_string())?;
        Ok((status, reply.to_bytes()))
    }

    async fn exchange_in_time(
        &self,
        path: &str,
        body: Vec<u8>,
        most: usize,
    ) -> Result<(u16, Bytes), String> {
        let exchange = tokio::time::timeout(ANSWER_WITHIN, self.exchange(path, body, most));
        let late = |_| format!("no answer within {} s", ANSWER_WITHIN.as_secs());
        exchange.await.map_err(late)?
    }
}

/// The TLS stack could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up: {0}")]
pub struct TlsError(String);

impl Gate for HttpGate {
    async fn post(&self, path: &'static str, body: Vec<u8>) -> Answer {
        match self.exchange_in_time(path, body, REPLY_AT_MOST).await {
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

    async fn ask(&self, path: &'static str, body: Vec<u8>) -> Result<Vec<u8>, Unanswered> {
        match self.exchange_in_time(path, body, ANSWER_AT_MOST).await {
            Ok((200, answer)) => Ok(answer.into()),
            Ok((status, _)) => Err(Unanswered(format!("HTTP status {status}"))),
            Err(problem) => Err(Unanswered(problem)),
        }
    }
}
