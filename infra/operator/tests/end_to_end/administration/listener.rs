//! Receives what is posted to an endpoint.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request: its head in lower case, and its body.
#[derive(Debug, Clone)]
pub struct Received {
    head: String,
    pub body: Value,
}

impl Received {
    pub fn header(&self, name: &str) -> anyhow::Result<&str> {
        let mut lines = self.head.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.with_context(|| format!("{name} is missing: {self:?}"))
    }
}

/// An endpoint on this machine.
pub struct Listener {
    pub url: String,
    status: Arc<AtomicU16>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Listener {
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/events", listener.local_addr()?);
        let (status, received) = (Arc::new(AtomicU16::new(204)), Arc::default());
        let started = Self {
            url,
            status: Arc::clone(&status),
            received: Arc::clone(&received),
        };
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                if let Ok(request) = answer(connection, status.load(Ordering::Relaxed)).await {
                    let mut all = received.lock().unwrap_or_else(PoisonError::into_inner);
                    all.push(request);
                }
            }
        });
        Ok(started)
    }

    /// Sets the status of the following answers.
    pub fn answer(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    /// Returns the requests since the last call.
    pub fn take(&self) -> Vec<Received> {
        let mut all = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut all)
    }
}

/// Reads a request. The answer is sent before the request counts as received.
async fn answer(mut connection: TcpStream, status: u16) -> anyhow::Result<Received> {
    let mut text = String::new();
    loop {
        let mut part = [0; 4096];
        let read = connection.read(&mut part).await?;
        text += str::from_utf8(&part[..read])?;
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let request = Received {
            head: head.to_ascii_lowercase(),
            body: Value::Null,
        };
        if body.len() < request.header("content-length")?.parse()? {
            continue;
        }
        let body = serde_json::from_str(body)?;
        let answer =
            format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        connection.write_all(answer.as_bytes()).await?;
        return Ok(Received { body, ..request });
    }
}
