//! Serves Lambda's [Runtime API](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html) for one instance.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use crate::http_server::{Service, response, serve};

const PREFIX: &str = "/2018-06-01/runtime/";
/// The function receives this time limit for an event. The host waits longer than this limit.
const TIME_OUT: Duration = Duration::from_secs(15);

#[derive(Debug)]
pub(super) enum Call {
    /// The runtime requests the next event.
    Next(oneshot::Sender<Event>),
    /// The runtime answers the event with this id. The whole answer arrived at this time.
    Reply(String, Bytes, Instant),
    /// The runtime reports a failure.
    Failed(Bytes),
}

#[derive(Debug)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) body: Bytes,
}

/// A Runtime API. Dropping this value closes its connections.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    pub(super) address: SocketAddr,
    pub(super) calls: mpsc::UnboundedReceiver<Call>,
    server: AbortHandle,
}

impl RuntimeApi {
    /// Starts a Runtime API on a free port.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.context("the Runtime API has no port")?;
        let address = listener.local_addr()?;
        let (sender, calls) = mpsc::unbounded_channel();
        let server = tokio::spawn(serve(listener, None, Arc::new(Calls(sender)))).abort_handle();
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

/// Forwards requests of the runtime to the instance.
struct Calls(mpsc::UnboundedSender<Call>);

impl Service for Calls {
    async fn answer(&self, head: Parts, body: Bytes) -> Response<Full<Bytes>> {
        let path = head.uri.path().strip_prefix(PREFIX).unwrap_or_default();
        let steps: Vec<&str> = path.split('/').collect();
        match (&head.method, steps.as_slice()) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => {
                self.forward(Call::Reply((*id).to_owned(), body, Instant::now()))
            }
            (&Method::POST, ["invocation", _, "error"] | ["init", "error"]) => {
                self.forward(Call::Failed(body))
            }
            _ => response(StatusCode::NOT_FOUND, "{}"),
        }
    }
}

impl Calls {
    /// Waits for the next event without a time limit.
    async fn next(&self) -> Response<Full<Bytes>> {
        let (sender, event) = oneshot::channel();
        if self.0.send(Call::Next(sender)).is_err() {
            return response(StatusCode::GONE, "{}");
        }
        let Ok(Event { id, body }) = event.await else {
            return response(StatusCode::GONE, "{}");
        };
        let deadline = SystemTime::now() + TIME_OUT;
        let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default();
        let next = Response::builder()
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
        next.unwrap_or_else(|_| response(StatusCode::INTERNAL_SERVER_ERROR, "{}"))
    }

    fn forward(&self, call: Call) -> Response<Full<Bytes>> {
        match self.0.send(call) {
            Ok(()) => response(StatusCode::ACCEPTED, r#"{"status":"OK"}"#),
            Err(_) => response(StatusCode::GONE, "{}"),
        }
    }
}
