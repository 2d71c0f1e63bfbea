//! Posts events to the endpoints of storefronts.
//!
//! An endpoint is a host that others choose, so this module does not use the client of `https.rs`: each delivery
//! has its own connection, to an address that was checked after the only lookup of the name. Redirects are not
//! followed, and proxies are not used.

mod exchange;
mod network;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use payments::model::webhook::{EndpointUrl, LoopbackHosts, SignedEvent};
use payments::ports::{DeliveryOutcome, WebhookSender};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

use self::network::{Internet, Network};
use crate::https::{TlsError, tls_config};

/// Limits a whole delivery, from the lookup of the name to the answer.
const TIME_LIMIT: Duration = Duration::from_secs(15);
/// Limits the connection to one address, so that there is time for the next address.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Posts events over HTTPS. Each delivery has its own connection.
#[derive(Debug, Clone)]
pub struct WebhookHttp(Sender<Internet>);

impl WebhookHttp {
    /// Creates a sender. It trusts the same root certificates as the client of the platform: the built-in ones, or
    /// those in the file that `SSL_CERT_FILE` names.
    pub fn new(loopback: LoopbackHosts) -> Result<Self, TlsError> {
        let tls = tls_config(std::env::var_os("SSL_CERT_FILE").as_deref())?;
        Ok(Self(Sender::new(loopback, tls, Internet)))
    }
}

impl WebhookSender for WebhookHttp {
    async fn send(&self, url: &EndpointUrl, event: &SignedEvent) -> DeliveryOutcome {
        self.0.send(url, event).await
    }
}

#[derive(Clone)]
struct Sender<N> {
    loopback: LoopbackHosts,
    tls: TlsConnector,
    network: N,
    time_limit: Duration,
}

impl<N> std::fmt::Debug for Sender<N> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut fields = formatter.debug_struct("Sender");
        fields.field("loopback", &self.loopback);
        fields.finish_non_exhaustive()
    }
}

impl<N: Network> Sender<N> {
    fn new(loopback: LoopbackHosts, tls: ClientConfig, network: N) -> Self {
        Self {
            loopback,
            tls: TlsConnector::from(Arc::new(tls)),
            network,
            time_limit: TIME_LIMIT,
        }
    }

    async fn send(&self, url: &EndpointUrl, event: &SignedEvent) -> DeliveryOutcome {
        let status = self.deliver(url, event).await;
        status.map_or_else(|failure| failure, DeliveryOutcome::of_status)
    }

    /// Returns the HTTP status of the answer.
    async fn deliver(
        &self,
        url: &EndpointUrl,
        event: &SignedEvent,
    ) -> Result<u16, DeliveryOutcome> {
        let deadline = Instant::now() + self.time_limit;
        let request = exchange::request(url, event)?;
        let connection = until(deadline, self.connect(url)).await?;
        if url.uses_tls() {
            let connection = until(deadline, self.start_tls(url, connection)).await?;
            exchange::exchange(connection, request, deadline).await
        } else {
            exchange::exchange(connection, request, deadline).await
        }
    }

    /// Connects to the first address that accepts the connection.
    async fn connect(&self, url: &EndpointUrl) -> Result<TcpStream, DeliveryOutcome> {
        for address in self.addresses(url).await? {
            let address = SocketAddr::new(address, url.port());
            let connection = timeout(CONNECT_TIMEOUT, self.network.connect(address));
            if let Ok(Ok(connection)) = connection.await {
                return Ok(connection);
            }
        }
        Err(DeliveryOutcome::Connect)
    }

    /// Returns the addresses of the host. If one address is not allowed, no address is used, because the name is
    /// configured wrongly or attacks this network.
    async fn addresses(&self, url: &EndpointUrl) -> Result<Vec<IpAddr>, DeliveryOutcome> {
        if url.is_loopback() && self.loopback == LoopbackHosts::Refused {
            return Err(DeliveryOutcome::ForbiddenAddress);
        }
        let addresses = match url.destination() {
            Host::Ipv4(address) => vec![IpAddr::V4(address)],
            Host::Ipv6(address) => vec![IpAddr::V6(address)],
            Host::Domain(name) => {
                let found = self.network.resolve(name).await;
                found.map_err(|_| DeliveryOutcome::Dns)?
            }
        };
        if addresses.is_empty() {
            return Err(DeliveryOutcome::Dns);
        }
        if !addresses.iter().all(|address| url.allows(*address)) {
            return Err(DeliveryOutcome::ForbiddenAddress);
        }
        Ok(addresses)
    }

    async fn start_tls(
        &self,
        url: &EndpointUrl,
        connection: TcpStream,
    ) -> Result<TlsStream<TcpStream>, DeliveryOutcome> {
        let name = match url.destination() {
            Host::Domain(name) => ServerName::try_from(name.to_owned()),
            Host::Ipv4(address) => Ok(ServerName::from(IpAddr::V4(address))),
            Host::Ipv6(address) => Ok(ServerName::from(IpAddr::V6(address))),
        };
        let name = name.map_err(|_| DeliveryOutcome::Tls)?;
        let connection = self.tls.connect(name, connection).await;
        connection.map_err(|_| DeliveryOutcome::Tls)
    }
}

/// Ends a step of a delivery at the deadline.
async fn until<T>(
    deadline: Instant,
    step: impl Future<Output = Result<T, DeliveryOutcome>>,
) -> Result<T, DeliveryOutcome> {
    let result = timeout_at(deadline, step).await;
    result.map_err(|_| DeliveryOutcome::Timeout)?
}
