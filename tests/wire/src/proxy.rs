//! Counts a client's connections with a TCP proxy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// A TCP proxy that counts its connections.
#[derive(Debug)]
pub struct CountingProxy {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl CountingProxy {
    /// Starts a proxy to an address such as `http://127.0.0.1:80`.
    pub async fn to(server: &str) -> anyhow::Result<Self> {
        let server = server
            .strip_prefix("http://")
            .context("The address does not start with http://")?;
        Self::start(Some(server.to_owned())).await
    }

    /// Starts a proxy that accepts connections and never answers.
    pub async fn without_server() -> anyhow::Result<Self> {
        Self::start(None).await
    }

    async fn start(server: Option<String>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let proxy = Self {
            address: listener.local_addr()?,
            connections: Arc::default(),
        };
        let connections = proxy.connections.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(forward(client, server.clone()));
            }
        });
        Ok(proxy)
    }

    /// Returns the base URL of the proxy.
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the number of accepted connections.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn forward(mut client: TcpStream, server: Option<String>) {
    let Some(server) = server else {
        return std::future::pending().await;
    };
    if let Ok(mut server) = TcpStream::connect(server).await {
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}
