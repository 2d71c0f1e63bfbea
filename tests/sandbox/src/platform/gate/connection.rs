//! Cuts connections before the first byte of the answer is sent.
//!
//! An HTTP library always sends an answer. If the socket is shut down before the answer, the client gets no answer. A
//! failure of the platform or of the network has the same effect.

use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::net::TcpListener;

/// A second handle of the socket of a request, which can cut the connection.
#[derive(Debug, Clone)]
pub struct ConnectionCutter(Arc<Option<TcpStream>>);

impl ConnectionCutter {
    /// Shuts the socket down.
    pub fn cut(&self) {
        if let Some(socket) = self.0.as_ref() {
            // A socket that the client has closed needs no shutdown.
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
