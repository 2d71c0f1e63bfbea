//! Tests the sender with servers on the loopback address.

mod addresses;
mod answers;
mod endpoint;
mod tls;

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use payments::Timestamp;
use payments::model::webhook::{EndpointUrl, LoopbackHosts, MasterSecret, SignedEvent};
use payments::ports::DeliveryOutcome;
use rustls::ClientConfig;
use tokio::net::TcpStream;

use super::network::{Internet, Network};
use super::{Sender, TIME_LIMIT, WebhookHttp};
use crate::https::tls_config;

const BODY: &str = r#"{"specversion":"1.0","id":"211/order-1/3"}"#;
/// The time limit of the senders in the tests.
const SHORT: Duration = Duration::from_millis(400);

fn event() -> SignedEvent {
    let secret = MasterSecret::new(&"m".repeat(32))
        .unwrap()
        .secret("ep_1", 1);
    let now = Timestamp::from_millis(1_562_059_700_000);
    SignedEvent::new("211/order-1/3", BODY.to_owned(), now, &secret, None)
}

fn url(text: &str) -> EndpointUrl {
    EndpointUrl::parse(text, LoopbackHosts::Allowed).unwrap()
}

/// Returns the configuration of a client that trusts the root of the tests' endpoints.
fn trusting() -> ClientConfig {
    let root = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/webhook_http/tests/certificates/root.pem"
    );
    tls_config(Some(root.as_ref())).unwrap()
}

/// Returns a sender that may use loopback hosts.
fn sandbox_sender() -> Sender<Internet> {
    Sender::new(LoopbackHosts::Allowed, trusting(), Internet)
}

/// Posts the event to a URL of this machine with a short time limit.
async fn post(text: &str) -> DeliveryOutcome {
    let sender = Sender {
        time_limit: SHORT,
        ..sandbox_sender()
    };
    sender.send(&url(text), &event()).await
}

/// Posts the event to a URL of this machine with the time limit of the product.
async fn post_patiently(text: &str) -> DeliveryOutcome {
    sandbox_sender().send(&url(text), &event()).await
}

/// A network in which a test decides what each lookup returns. Every connection leads to one server of the test.
#[derive(Debug, Clone, Default)]
struct FakeNetwork {
    lookups: Arc<Mutex<VecDeque<Vec<IpAddr>>>>,
    /// The server; `None` if no address accepts a connection.
    server: Option<SocketAddr>,
    refused: Vec<IpAddr>,
    is_slow: bool,
    connected: Arc<Mutex<Vec<SocketAddr>>>,
}

impl FakeNetwork {
    fn new(server: SocketAddr, lookups: &[&[&str]]) -> Self {
        let address = |text: &&str| text.parse().unwrap();
        let lookup = |texts: &&[&str]| texts.iter().map(address).collect();
        Self {
            lookups: Arc::new(Mutex::new(lookups.iter().map(lookup).collect())),
            server: Some(server),
            ..Self::default()
        }
    }

    /// Returns the addresses to which the sender connected, with the ports.
    fn connected(&self) -> Vec<String> {
        let connected = self.connected.lock().unwrap();
        connected.iter().map(ToString::to_string).collect()
    }

    fn sender(&self) -> Sender<Self> {
        Sender {
            time_limit: SHORT,
            ..Sender::new(LoopbackHosts::Refused, trusting(), self.clone())
        }
    }

    async fn post(&self, text: &str) -> DeliveryOutcome {
        self.sender().send(&url(text), &event()).await
    }
}

impl Network for FakeNetwork {
    async fn resolve(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
        if self.is_slow {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        let next = self.lookups.lock().unwrap().pop_front();
        next.ok_or_else(|| io::Error::other("no such name"))
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.connected.lock().unwrap().push(address);
        let is_refused = self.refused.contains(&address.ip());
        match self.server.filter(|_| !is_refused) {
            Some(server) => TcpStream::connect(server).await,
            None => Err(io::ErrorKind::ConnectionRefused.into()),
        }
    }
}

#[test]
fn a_delivery_has_15_seconds() {
    assert_eq!(TIME_LIMIT, Duration::from_secs(15));
    let sender = WebhookHttp::new(LoopbackHosts::Refused).unwrap();
    assert_eq!(sender.0.time_limit, TIME_LIMIT);
}
