//! Serves fast stubs of DynamoDB, SQS, Secrets Manager and Gate.
//!
//! The stubs count each call, and accept a call if it has the necessary fields. The stubs do little other work, so a
//! measured duration is almost only the duration of the function's own work. All hosts share a port with TLS 1.3.

pub mod aws;
pub mod gate;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use anyhow::Context;
use bytes::Bytes;
use http::header::HOST;
use http::request::Parts;
use http::{Response, StatusCode};
use http_body_util::Full;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::TLS13;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::http_server::{FirstRequest, Service, response, serve};

/// The root certificate of the stubs. `certificates/make.sh` makes all certificates of the stubs.
pub const ROOT: &str = include_str!("../../certificates/root.pem");
const CHAIN: &str = include_str!("../../certificates/chain.pem");
const KEY: &str = include_str!("../../certificates/stub.key");

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// The number of connections, by the host of the first request.
    pub connections: BTreeMap<String, u64>,
    /// The number of calls, by operation.
    pub calls: BTreeMap<String, u64>,
}

/// The running stubs. Dropping this value stops them.
#[derive(Debug)]
pub struct Stubs {
    pub address: SocketAddr,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    items: Mutex<aws::Items>,
    counts: Mutex<Counts>,
}

impl Stubs {
    /// Starts the stubs in their own thread, so that they do not wait for the measuring thread.
    pub fn start(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (tls, state) = (acceptor()?, Arc::<State>::default());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let service = Arc::clone(&state);
        let run = async move {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                return;
            };
            tokio::select! {
                () = serve(listener, Some(tls), service) => {}
                _ = stopped => {}
            }
        };
        let thread = std::thread::Builder::new().name("stubs".into());
        Ok(Self {
            address,
            state,
            stop: Some(stop),
            thread: Some(thread.spawn(move || runtime.block_on(run))?),
        })
    }

    /// Stores an item. Fails if the item has no keys.
    pub fn put(&self, item: Value) -> anyhow::Result<()> {
        let key = aws::key(&item).context("the item has no keys")?;
        locked(&self.state.items).insert(key, item);
        Ok(())
    }

    pub fn clear(&self) {
        locked(&self.state.items).clear();
    }

    /// Returns the counts since the last call.
    pub fn take_counts(&self) -> Counts {
        std::mem::take(&mut *locked(&self.state.counts))
    }
}

impl Drop for Stubs {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Service for State {
    async fn answer(&self, head: Parts, body: Bytes) -> Response<Full<Bytes>> {
        let input: Value = serde_json::from_slice(&body).unwrap_or_default();
        let (name, output) = match (target(&head), head.uri.path()) {
            (Some((_, operation)), _) => aws::answer(operation, &input, &mut locked(&self.items)),
            (None, path) if is_prewarm(path) => ("prewarm".to_owned(), Some(Value::Null)),
            (None, path) => gate::answer(path, &input),
        };
        let mut counts = locked(&self.counts);
        *counts.calls.entry(name).or_default() += 1;
        if head.extensions.get::<FirstRequest>().is_some() {
            let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
            let host = host.unwrap_or_default().to_owned();
            *counts.connections.entry(host).or_default() += 1;
        }
        match output {
            Some(output) => response(StatusCode::OK, output.to_string()),
            None => response(StatusCode::BAD_REQUEST, REFUSAL),
        }
    }
}

/// The answer to an unknown call. The AWS SDKs and the clients of Gate read this answer as an error.
const REFUSAL: &str = r#"{"__type":"ValidationException","status":"error","code":"2003","message":"unknown to the stub"}"#;

/// Returns the service and the operation of an AWS call.
pub fn target(head: &Parts) -> Option<(&str, &str)> {
    head.headers
        .get("x-amz-target")?
        .to_str()
        .ok()?
        .split_once('.')
}

/// Returns whether functions request this path only to open a connection during init.
pub fn is_prewarm(path: &str) -> bool {
    matches!(path, "/" | "/ping")
}

fn locked<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Creates a TLS acceptor with the stubs' certificate.
fn acceptor() -> anyhow::Result<TlsAcceptor> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(CHAIN.as_bytes()).collect();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(
            chain.context("chain.pem is invalid")?,
            key.context("stub.key is invalid")?,
        )?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
