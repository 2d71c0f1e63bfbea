//! Calls to the platform over HTTPS.
//!
//! Calls go to the configured host only. Redirects are not followed, replies are cut at a limit,
//! and a request is never repeated from here: whoever asked decides, by the platform's rules.
//! Trusted are the certificate authorities that are built in, or those of `SSL_CERT_FILE`.

use std::ffi::OsStr;
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// The time for a connection to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// Idle connections are closed before the other side does it in the middle of a request. What was
/// opened longer before the first event, as with provisioned concurrency, is opened again.
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
        let tls = trusting(std::env::var_os("SSL_CERT_FILE").as_deref())?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
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

    /// Leaves a connection to the host for the first call, whatever it answers.
    pub(super) async fn prewarm(&self) {
        let request = Request::builder()
            .method(Method::HEAD)
            .uri(format!("{}/", self.base_url))
            .body(Full::default());
        let Ok(request) = request else { return };
        if let Ok(response) = self.client.request(request).await {
            // The connection is free for others when the answer has been read.
            let _ = Limited::new(response.into_body(), 0).collect().await;
        }
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
            .body(Full::from(body))
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

/// Trusts the certificates in a file and no others, as behind a proxy of the company's own; without
/// a file those that are built in.
fn trusting(file: Option<&OsStr>) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError(error.to_string()))?;
    let config = match file.filter(|file| !file.is_empty()) {
        None => config.with_webpki_roots(),
        Some(file) => config.with_root_certificates(roots(Path::new(file))?),
    };
    Ok(config.with_no_client_auth())
}

fn roots(file: &Path) -> Result<RootCertStore, TlsError> {
    let error = |error: &dyn Display| TlsError(format!("{}: {error}", file.display()));
    let certificates = CertificateDer::pem_file_iter(file).map_err(|why| error(&why))?;
    let certificates: Result<Vec<_>, _> = certificates.collect();
    let mut roots = RootCertStore::empty();
    // As browsers do: one that cannot be used does not keep the others from being trusted.
    let (trusted, _) = roots.add_parsable_certificates(certificates.map_err(|why| error(&why))?);
    match trusted {
        0 => Err(error(&"no certificate can be used")),
        _ => Ok(roots),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A root of somebody's own, for tests only.
    const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/https/root.pem");

    #[test]
    fn roots_of_a_file_are_read_or_refused() {
        assert_eq!(roots(Path::new(ROOT)).unwrap().len(), 1);
        for (file, problem) in [
            ("/does/not/exist.pem", "No such file"),
            (
                concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
                "no certificate",
            ),
        ] {
            let error = roots(Path::new(file)).unwrap_err().to_string();
            assert!(error.contains(file), "{error}");
            assert!(error.contains(problem), "{error}");
        }
        assert!(trusting(Some(OsStr::new("/does/not/exist.pem"))).is_err());
        assert!(trusting(Some(OsStr::new(""))).is_ok(), "not set");
    }
}
