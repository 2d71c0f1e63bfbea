//! Serves HTTP/1.1 for Lambda's Runtime API and for the stubs.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

pub trait Service: Send + Sync + 'static {
    fn answer(
        &self,
        head: Parts,
        body: Bytes,
    ) -> impl Future<Output = Response<Full<Bytes>>> + Send;
}

/// Marks the first request of a connection, as an extension.
#[derive(Debug, Clone, Copy)]
pub struct FirstRequest;

/// Serves requests. Dropping the future also closes all connections.
pub async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, service: Arc<impl Service>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        // Without this option, a small packet can wait until the previous packet is acknowledged.
        let _ = stream.set_nodelay(true);
        let (tls, service) = (tls.clone(), Arc::clone(&service));
        connections.spawn(async move {
            match tls {
                None => connection(stream, service).await,
                Some(tls) => {
                    // An error is ignored, because a client that rejects the certificate reports the error itself.
                    if let Ok(stream) = tls.accept(stream).await {
                        connection(stream, service).await;
                    }
                }
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn connection<Stream>(stream: Stream, service: Arc<impl Service>)
where
    Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let is_first = AtomicBool::new(true);
    let answer = service_fn(|request: Request<Incoming>| {
        let is_first = is_first.swap(false, Ordering::Relaxed);
        let service = Arc::clone(&service);
        async move {
            let (mut head, body) = request.into_parts();
            if is_first {
                head.extensions.insert(FirstRequest);
            }
            let response = match body.collect().await {
                Ok(body) => service.answer(head, body.to_bytes()).await,
                Err(_) => response(StatusCode::BAD_REQUEST, "{}"),
            };
            Ok::<_, Infallible>(response)
        }
    });
    // An error is ignored, because a disconnected client ends only its own connection.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

pub fn response(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, json);
    response
}
