//! Calls to the platform over HTTPS.
//!
//! Calls go to the configured host only. Redirects are not followed, replies are cut at a limit,
//! and a request is never repeated from here: whoever asked decides, by the platform's rules.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// The time for a connection to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// Idle connections are closed before the other side does it in the middle of a request.
const IDLE_AT_MOST: Duration = Duration::from_secs(20);

/// One host of the platform.
#[derive(Debug, Clone)]
pub(super) struct Host {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base_url: String,
    within: Duration,
}

/// The TLS stack could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up: {0}")]
pub struct TlsError(String);

impl Host {
    /// The host at `base_url` (no slash at its end), checked by [`crate::config::base_url`]. A
    /// whole call may take so long.
    pub(super) fn new(base_url: impl Into<String>, within: Duration) -> Result<Self, TlsError> {
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
            within,
        })
    }

    /// Posts JSON; gives the status and the body of a reply of at most so many bytes, or what went
    /// wrong.
    pub(super) async fn post(
        &self,
        path: &str,
        body: Vec<u8>,
        most: usize,
    ) -> Result<(u16, Bytes), String> {
        let exchange = tokio::time::timeout(self.within, self.exchange(path, body, most));
        let late = |_| format!("no answer within {} s", self.within.as_secs());
        exchange.await.map_err(late)?
    }

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
}
