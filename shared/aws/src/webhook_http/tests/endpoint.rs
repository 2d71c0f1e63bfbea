//! A server that answers each connection as a test says.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A server on a free port of this machine. Dropping this value ends the server.
pub struct Endpoint {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: mpsc::UnboundedReceiver<String>,
    _server: JoinSet<()>,
}

impl Endpoint {
    /// Starts a server that runs `serve` for each connection.
    pub async fn start<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Option<String>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let (sender, requests) = mpsc::unbounded_channel();
        let mut server = JoinSet::new();
        server.spawn(async move {
            let mut running = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                let (serving, sender) = (serve(stream), sender.clone());
                running.spawn(async move { serving.await.map(|request| sender.send(request)) });
            }
        });
        Self {
            address,
            connections,
            requests,
            _server: server,
        }
    }

    /// Starts a server that gives every request this answer, and then closes the connection.
    pub async fn answering(answer: impl AsRef<str> + Clone + Send + Sync + 'static) -> Self {
        Self::start(move |mut stream| {
            let answer = answer.clone();
            async move { reply(&mut stream, answer.as_ref()).await }
        })
        .await
    }

    /// Starts a server like [`answering`](Self::answering) with TLS.
    pub async fn with_tls(certificate: &'static str, answer: &'static str) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(server_config(certificate)));
        Self::start(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                let mut stream = acceptor.accept(stream).await.ok()?;
                let request = reply(&mut stream, answer).await;
                let _ = stream.shutdown().await;
                request
            }
        })
        .await
    }

    /// Returns the URL of this server, without TLS.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the number of connections.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Waits for the next request.
    pub async fn request(&mut self) -> String {
        self.requests.recv().await.unwrap()
    }
}

/// Reads a request and writes an answer. Returns the request.
pub async fn reply(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    answer: &str,
) -> Option<String> {
    let request = read_request(stream).await?;
    let _ = stream.write_all(answer.as_bytes()).await;
    Some(request)
}

/// Reads a request up to the end of the tests' event.
pub async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut request = Vec::new();
    while !request.ends_with(super::BODY.as_bytes()) {
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
    String::from_utf8(request).ok()
}

fn server_config(certificate: &str) -> ServerConfig {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/webhook_http/tests/certificates"
    );
    let certificate = CertificateDer::from_pem_file(format!("{folder}/{certificate}.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(format!("{folder}/endpoint.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap()
}
