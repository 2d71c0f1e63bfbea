//! A door in front of a server, that counts who comes in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// An address at which every connection is counted, and led on if anybody is there.
#[derive(Debug)]
pub struct Door {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Door {
    /// In front of the server at an address like `http://127.0.0.1:80`.
    ///
    /// # Errors
    ///
    /// When no address is free.
    pub async fn before(server: &str) -> anyhow::Result<Self> {
        let server = server.strip_prefix("http://").context("not http")?;
        Self::open(Some(server.to_owned())).await
    }

    /// In front of nobody: connections are taken, and nothing ever comes back.
    ///
    /// # Errors
    ///
    /// When no address is free.
    pub async fn before_nobody() -> anyhow::Result<Self> {
        Self::open(None).await
    }

    async fn open(server: Option<String>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let door = Self {
            address: listener.local_addr()?,
            connections: Arc::default(),
        };
        let connections = door.connections.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(lead(client, server.clone()));
            }
        });
        Ok(door)
    }

    /// Where it is.
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections were made so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn lead(mut client: TcpStream, server: Option<String>) {
    let Some(server) = server else {
        return std::future::pending().await;
    };
    if let Ok(mut server) = TcpStream::connect(server).await {
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}
