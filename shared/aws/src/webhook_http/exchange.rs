//! Sends one request over a connection and reads the status of the answer.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use payments::model::webhook::{EndpointUrl, SignedEvent};
use payments::ports::DeliveryOutcome;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use super::until;

const USER_AGENT: &str = "bancontact-webhooks/1";
const CONTENT_TYPE: &str = "application/cloudevents+json";
/// The maximum size of the headers of an answer, and of the part of its body that is read.
const MAX_ANSWER: usize = 16 * 1024;
const MAX_HEADERS: usize = 100;
/// The status decides, so the body is only read to let the endpoint finish its answer.
const BODY_TIME: Duration = Duration::from_secs(1);

/// Creates the request that posts an event.
pub(super) fn request(
    url: &EndpointUrl,
    event: &SignedEvent,
) -> Result<Request<Full<Bytes>>, DeliveryOutcome> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(url.path_and_query())
        .header(header::HOST, url.authority())
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::CONTENT_TYPE, CONTENT_TYPE)
        .header(header::CONNECTION, "close");
    for (name, value) in event.headers() {
        request = request.header(name, value);
    }
    let request = request.body(Full::from(event.body().to_owned()));
    // A request can have the path of any `EndpointUrl`.
    request.map_err(|_| DeliveryOutcome::ForbiddenAddress)
}

/// Sends a request and returns the HTTP status of the answer.
pub(super) async fn exchange(
    connection: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<Full<Bytes>>,
    deadline: Instant,
) -> Result<u16, DeliveryOutcome> {
    let handshake = http1::Builder::new()
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_ANSWER)
        .handshake(TokioIo::new(connection));
    let (mut sender, connection) = handshake.await.map_err(|error| failure(&error))?;
    let answer = async {
        let answer = async {
            let answer = sender.send_request(request).await;
            answer.map_err(|error| failure(&error))
        };
        let answer = until(deadline, answer).await?;
        let status = answer.status().as_u16();
        let end = deadline.min(Instant::now() + BODY_TIME);
        let _ = timeout_at(end, drop_body(answer)).await;
        Ok(status)
    };
    let mut answer = pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        // The connection can end before the answer is read.
        _ = connection => answer.await,
    }
}

async fn drop_body(answer: Response<Incoming>) {
    let _ = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
}

fn failure(error: &hyper::Error) -> DeliveryOutcome {
    if error.is_parse() {
        DeliveryOutcome::InvalidAnswer
    } else {
        DeliveryOutcome::Cut
    }
}
