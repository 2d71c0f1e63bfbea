//! The stubs' HTTP servers, all in one thread.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::{Options, State, aws, gate, locked, tls};

/// Who serves on a port.
#[derive(Debug, Clone, Copy)]
enum Service {
    Aws,
    Gate,
}

/// The name of what was called, the status and the answer.
pub(super) type Answer = (String, StatusCode, Value);

type Started = anyhow::Result<(SocketAddr, SocketAddr)>;

/// Serves until it is told to end; tells where it serves.
pub(super) fn run(
    options: &Options,
    state: &Arc<Mutex<State>>,
    ended: oneshot::Receiver<()>,
    tell: &mpsc::Sender<Started>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let serve = async {
        let started = start(options, state).await;
        let serves = started.is_ok();
        if tell.send(started).is_ok() && serves {
            let _ = ended.await;
        }
    };
    match runtime {
        Ok(runtime) => runtime.block_on(serve),
        Err(error) => drop(tell.send(Err(error.into()))),
    }
}

async fn start(options: &Options, state: &Arc<Mutex<State>>) -> Started {
    let acceptor = tls::acceptor()?;
    let aws = TcpListener::bind(options.aws).await?;
    let gate = TcpListener::bind(options.gate).await?;
    let addresses = (aws.local_addr()?, gate.local_addr()?);
    let gate_tls = options.gate_tls.then(|| acceptor.clone());
    tokio::spawn(accept(aws, Some(acceptor), Service::Aws, Arc::clone(state)));
    tokio::spawn(accept(gate, gate_tls, Service::Gate, Arc::clone(state)));
    Ok(addresses)
}

async fn accept(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    service: Service,
    state: Arc<Mutex<State>>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, state) = (acceptor.clone(), Arc::clone(&state));
        tokio::spawn(connection(stream, acceptor, service, state));
    }
}

async fn connection(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    service: Service,
    state: Arc<Mutex<State>>,
) {
    let _ = stream.set_nodelay(true);
    // A client that gives up is none of our business; whoever measures sees it.
    match acceptor {
        None => serve(stream, service, &state).await,
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve(stream, service, &state).await;
            }
        }
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    service: Service,
    state: &Mutex<State>,
) {
    let is_first = AtomicBool::new(true);
    let answer = service_fn(|request: Request<Incoming>| {
        let is_first = is_first.swap(false, Ordering::Relaxed);
        async move {
            if is_first {
                count_connection(request.headers(), state);
            }
            Ok::<_, Infallible>(answer(request, service, state).await)
        }
    });
    let stream = TokioIo::new(stream);
    let _ = http1::Builder::new().serve_connection(stream, answer).await;
}

fn count_connection(headers: &HeaderMap, state: &Mutex<State>) {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = host.unwrap_or("nobody").to_owned();
    *locked(state).counts.connections.entry(host).or_default() += 1;
}

async fn answer(
    request: Request<Incoming>,
    service: Service,
    state: &Mutex<State>,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    let (delay, (name, status, answer)) = {
        let state = &mut *locked(state);
        let answer = match service {
            Service::Aws => aws::answer(&head.headers, &body, state),
            Service::Gate => gate::answer(head.uri.path(), &body),
        };
        (state.delay, answer)
    };
    *locked(state).counts.calls.entry(name).or_default() += 1;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let content_type = match service {
        Service::Aws => "application/x-amz-json-1.0",
        Service::Gate => "application/json",
    };
    let mut response = Response::new(Full::new(Bytes::from(answer.to_string())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static(content_type),
    );
    headers.insert("x-amzn-requestid", header::HeaderValue::from_static("stub"));
    response
}
