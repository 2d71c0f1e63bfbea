//! Cuts a connection before the first byte of the answer.
//!
//! The HTTP library always sends an answer. Therefore this module shuts the socket down before the answer, and the
//! client receives nothing.

use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::net::TcpListener;

/// A second handle of a connection's socket.
#[derive(Debug, Clone)]
pub struct ConnectionCutter(Arc<Option<TcpStream>>);

impl ConnectionCutter {
    pub fn cut(&self) {
        if let Some(socket) = self.0.as_ref() {
            // The shutdown fails if the client has already closed the socket.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Connected<IncomingStream<'_, TcpListener>> for ConnectionCutter {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        let socket = stream.io().as_fd().try_clone_to_owned();
        Self(Arc::new(socket.ok().map(TcpStream::from)))
    }
}
