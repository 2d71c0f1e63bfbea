//! Sends HTTPS requests to the platform.
//!
//! Redirects are not followed, so requests reach only the configured host. This module never repeats a request. The
//! caller decides whether the rules of the platform allow a repeat.

use std::error::Error;
use std::ffi::OsStr;
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use payments::ports::NoAnswer;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The client closes a connection that was idle for this time. Otherwise the platform could close the connection just
/// when a request starts.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// One host of the platform.
#[derive(Debug, Clone)]
pub(super) struct Host {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base_url: String,
    timeout: Duration,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// The request could not be sent, or there was no complete answer.
    #[error("{0}")]
    Failed(String),
    /// The answer with this HTTP status is larger than the limit.
    #[error("the answer with HTTP status {0} is too large")]
    TooLarge(u16),
}

impl From<Problem> for NoAnswer {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::TooLarge(200) => Self::TooLarge,
            // An answer with another status is an error page. It counts as a failure, because a repeated request can
            // succeed.
            problem => Self::Failed(problem.to_string()),
        }
    }
}

/// The TLS client cannot be created.
#[derive(Debug, thiserror::Error)]
#[error("the TLS client cannot be created: {0}")]
pub struct TlsError(String);

impl Host {
    /// Creates a client. `base_url` must have passed the check of [`crate::config::base_url`]. `timeout` limits a whole
    /// request. The client trusts the built-in root certificates, or the certificates in the file that `SSL_CERT_FILE`
    /// names.
    pub(super) fn new(base_url: impl Into<String>, timeout: Duration) -> Result<Self, TlsError> {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        connector.enforce_http(false);
        let tls = tls_config(std::env::var_os("SSL_CERT_FILE").as_deref())?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(connector);
        Ok(Self {
            client,
            base_url: base_url.into(),
            timeout,
        })
    }

    /// Sends a `HEAD` request, so that the first call finds an open connection.
    pub(super) async fn prewarm(&self) {
        let request = Request::builder()
            .method(Method::HEAD)
            .uri(format!("{}/", self.base_url))
            .body(Full::default());
        let Ok(request) = request else { return };
        if let Ok(response) = self.client.request(request).await {
            // The connection returns to the pool after the answer has been read.
            let _ = Limited::new(response.into_body(), 0).collect().await;
        }
    }

    /// Posts JSON. Returns the status and the body of an answer of at most `max_bytes`.
    pub(super) async fn post(
        &self,
        path: &str,
        body: Vec<u8>,
        max_bytes: usize,
    ) -> Result<(u16, Bytes), Problem> {
        let exchange = self.exchange(path, body, max_bytes);
        let late = |_| Problem::Failed(format!("no answer within {} s", self.timeout.as_secs()));
        let answer = tokio::time::timeout(self.timeout, exchange).await;
        answer.map_err(late)?
    }

    async fn exchange(
        &self,
        path: &str,
        body: Vec<u8>,
        max_bytes: usize,
    ) -> Result<(u16, Bytes), Problem> {
        let failed = |error: &dyn Display| Problem::Failed(error.to_string());
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{path}", self.base_url))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(Full::from(body))
            .map_err(|error| failed(&error))?;
        let response = self.client.request(request).await.map_err(|error| {
            let cause = error.source().map(ToString::to_string);
            Problem::Failed(format!("{error}: {}", cause.unwrap_or_default()))
        })?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), max_bytes);
        let body = body.collect().await.map_err(|error| {
            let is_too_large = error.is::<LengthLimitError>();
            if is_too_large {
                Problem::TooLarge(status)
            } else {
                failed(&error)
            }
        })?;
        Ok((status, body.to_bytes()))
    }
}

/// Creates the TLS configuration of a client. With `root_file`, the client trusts only the root certificates in this
/// file, for example the certificate of a company's proxy.
pub(super) fn tls_config(root_file: Option<&OsStr>) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError(error.to_string()))?;
    let config = match root_file.filter(|file| !file.is_empty()) {
        None => config.with_webpki_roots(),
        Some(file) => config.with_root_certificates(read_roots(Path::new(file))?),
    };
    Ok(config.with_no_client_auth())
}

fn read_roots(file: &Path) -> Result<RootCertStore, TlsError> {
    let error = |error: &dyn Display| TlsError(format!("{}: {error}", file.display()));
    let certificates = CertificateDer::pem_file_iter(file).map_err(|why| error(&why))?;
    let certificates: Result<Vec<_>, _> = certificates.collect();
    let mut roots = RootCertStore::empty();
    // Certificates that cannot be used are ignored, as in a browser.
    let (usable, _) = roots.add_parsable_certificates(certificates.map_err(|why| error(&why))?);
    match usable {
        0 => Err(error(&"contains no usable certificate")),
        _ => Ok(roots),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A self-signed root certificate, for tests only.
    const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/https/root.pem");
    const NO_CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    const MISSING: &str = "/does/not/exist.pem";

    #[test]
    fn root_certificates_are_read_from_a_file() {
        assert_eq!(read_roots(Path::new(ROOT)).unwrap().len(), 1);
    }

    #[test]
    fn a_file_without_a_certificate_is_refused_with_its_name() {
        for (file, problem) in [
            (MISSING, "No such file"),
            (NO_CERTIFICATE, "no usable certificate"),
        ] {
            let error = read_roots(Path::new(file)).unwrap_err().to_string();
            assert!(error.contains(file), "{error}");
            assert!(error.contains(problem), "{error}");
        }
        assert!(tls_config(Some(OsStr::new(MISSING))).is_err());
    }

    #[test]
    fn an_empty_file_name_selects_the_built_in_root_certificates() {
        assert!(tls_config(Some(OsStr::new(""))).is_ok());
    }
}
