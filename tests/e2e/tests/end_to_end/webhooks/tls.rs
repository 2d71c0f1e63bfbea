//! Runs an endpoint whose certificate has an unknown issuer.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An endpoint that counts connections, and connections on which it received a byte of a request.
pub struct UntrustedEndpoint {
    pub url: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl UntrustedEndpoint {
    /// Starts the endpoint. Its certificate is valid for its address, and only the issuer is unknown.
    pub async fn start() -> anyhow::Result<Self> {
        let acceptor = TlsAcceptor::from(Arc::new(configuration()?));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("https://{}/events", listener.local_addr()?);
        let (connections, requests) = (Arc::<AtomicUsize>::default(), Arc::default());
        let endpoint = Self {
            url,
            connections: Arc::clone(&connections),
            requests: Arc::clone(&requests),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::Relaxed);
                let (acceptor, requests) = (acceptor.clone(), Arc::clone(&requests));
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let mut stream = tokio::io::BufReader::new(stream);
                    let read = tokio::io::AsyncBufReadExt::fill_buf(&mut stream).await;
                    if read.is_ok_and(|bytes| !bytes.is_empty()) {
                        requests.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        Ok(endpoint)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

fn configuration() -> anyhow::Result<ServerConfig> {
    let folder = tools::root().join("shared/aws/src/webhook_http/tests/certificates");
    let certificate = CertificateDer::from_pem_file(folder.join("valid.pem"))?;
    let key = PrivateKeyDer::from_pem_file(folder.join("endpoint.key"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions()?;
    let builder = builder.with_no_client_auth();
    Ok(builder.with_single_cert(vec![certificate], key)?)
}
