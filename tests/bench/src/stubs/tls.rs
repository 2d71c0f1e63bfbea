//! The stubs' certificates, made by `certificates/make.sh`.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::TLS13;
use tokio_rustls::TlsAcceptor;

/// The root of the stubs' certificates.
pub const ROOT: &str = include_str!("../../certificates/root.pem");
const CHAIN: &str = include_str!("../../certificates/chain.pem");
const KEY: &str = include_str!("../../certificates/stub.key");

/// Where Linux distributions have the roots that they trust.
const SYSTEM: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

/// The roots that a function finds on a machine, and that of the stubs.
pub fn roots() -> String {
    let system = SYSTEM
        .iter()
        .map(Path::new)
        .find_map(|path| std::fs::read_to_string(path).ok());
    format!("{}\n{ROOT}", system.unwrap_or_default())
}

/// TLS 1.3 with the stubs' certificate.
pub(super) fn acceptor() -> anyhow::Result<TlsAcceptor> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(CHAIN.as_bytes()).collect();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(
            chain.context("chain.pem is broken")?,
            key.context("stub.key is broken")?,
        )?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
