//! Looks up names and opens connections.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::{TcpStream, lookup_host};

/// What a sender needs from the network. Tests replace the lookup of names.
pub(super) trait Network: Send + Sync {
    /// Returns all addresses of a name.
    fn resolve(&self, name: &str) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send;

    /// Opens a connection to this address only.
    fn connect(&self, address: SocketAddr) -> impl Future<Output = io::Result<TcpStream>> + Send;
}

/// The network of this machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Internet;

impl Network for Internet {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        // The lookup needs a port and does not use it.
        let addresses = lookup_host((name, 0)).await?;
        Ok(addresses.map(|address| address.ip()).collect())
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let connection = TcpStream::connect(address).await?;
        connection.set_nodelay(true)?;
        Ok(connection)
    }
}
