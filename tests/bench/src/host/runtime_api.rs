//! Lambda's [Runtime API](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html) for one sandbox.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};

const PREFIX: &str = "/2018-06-01/runtime/";
/// What a function is told that it has.
const DEADLINE: Duration = Duration::from_secs(15);

/// What a runtime tells or asks.
#[derive(Debug)]
pub(super) enum Call {
    /// It is ready for the next event.
    Next(oneshot::Sender<Event>),
    /// It has an answer to the event of that name, which had arrived whole at that moment.
    Reply(String, Bytes, Instant),
    /// The function failed.
    Failed(Bytes),
}

/// An event and its name.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) body: Bytes,
}

/// A Runtime API; dropping it closes its connections.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    pub(super) address: SocketAddr,
    pub(super) calls: mpsc::UnboundedReceiver<Call>,
    server: AbortHandle,
}

impl RuntimeApi {
    /// On a free port.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.context("The Runtime API has no port")?;
        let address = listener.local_addr()?;
        let (sender, calls) = mpsc::unbounded_channel();
        let server = tokio::spawn(serve(listener, sender)).abort_handle();
        Ok(Self {
            address,
            calls,
            server,
        })
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, calls: mpsc::UnboundedSender<Call>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(connection(stream, calls.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, calls: mpsc::UnboundedSender<Call>) {
    // An event is not to wait for more of it.
    let _ = stream.set_nodelay(true);
    let service =
        service_fn(|request| async { Ok::<_, Infallible>(answer(request, &calls).await) });
    // A runtime that goes away takes its connection along; its end is noticed elsewhere.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    calls: &mpsc::UnboundedSender<Call>,
) -> Response<Full<Bytes>> {
    let path = request.uri().path().strip_prefix(PREFIX).unwrap_or("");
    let steps: Vec<&str> = path.split('/').collect();
    match (request.method(), steps.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => next(calls).await,
        (&Method::POST, ["invocation", id, "response"]) => {
            let id = (*id).to_owned();
            take(request, calls, |body| Call::Reply(id, body, Instant::now())).await
        }
        (&Method::POST, ["invocation", _, "error"] | ["init", "error"]) => {
            take(request, calls, Call::Failed).await
        }
        _ => plain(StatusCode::NOT_FOUND),
    }
}

/// Waits for the next event, as long as it takes.
async fn next(calls: &mpsc::UnboundedSender<Call>) -> Response<Full<Bytes>> {
    let (sender, event) = oneshot::channel();
    if calls.send(Call::Next(sender)).is_err() {
        return plain(StatusCode::GONE);
    }
    let Ok(Event { id, body }) = event.await else {
        return plain(StatusCode::GONE);
    };
    let deadline = SystemTime::now() + DEADLINE;
    let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default();
    let response = Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", id)
        .header(
            "lambda-runtime-deadline-ms",
            deadline.as_millis().to_string(),
        )
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-west-1:123456789012:function:bench",
        )
        .header(
            "lambda-runtime-trace-id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
        )
        .body(Full::new(body));
    response.unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR))
}

async fn take(
    request: Request<Incoming>,
    calls: &mpsc::UnboundedSender<Call>,
    call: impl FnOnce(Bytes) -> Call,
) -> Response<Full<Bytes>> {
    let Ok(body) = request.into_body().collect().await else {
        return plain(StatusCode::BAD_REQUEST);
    };
    match calls.send(call(body.to_bytes())) {
        Ok(()) => plain(StatusCode::ACCEPTED),
        Err(_) => plain(StatusCode::GONE),
    }
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"{\"status\":\"OK\"}")));
    *response.status_mut() = status;
    response
}
