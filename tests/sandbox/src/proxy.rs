//! Serves the public address of the API with a proxy. On AWS, API Gateway or a custom domain serves this address.
//!
//! The functions need the public address before the deployment, but the local AWS gives the API its address during the
//! deployment. Therefore the proxy gets its port before the deployment, and its target afterwards. The proxy forwards
//! paths unchanged and follows no redirects.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::progress::say;

// API Gateway accepts 10 MB, and waits 30 seconds for a function. The proxy waits a little longer.
const BODY_LIMIT: usize = 10 * 1024 * 1024;
const TIME_LIMIT: Duration = Duration::from_secs(35);

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
// The proxy does not forward these headers. RFC 9110, 7.6.1 limits most of them to one connection. The HTTP client sets
// `Host` and `Content-Length` itself.
const HOP_BY_HOP: [HeaderName; 10] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::HOST,
    header::CONTENT_LENGTH,
];

type Http = Client<HttpConnector, Full<axum::body::Bytes>>;

#[derive(Clone)]
struct Forward {
    http: Http,
    target: Arc<OnceLock<String>>,
    follow: bool,
}

/// A reverse proxy for the API. Dropping this value stops it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    target: Arc<OnceLock<String>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Starts the proxy, which answers 503 until [`Proxy::set_target`]. With `follow`, it prints each call.
    pub fn start(listener: TcpListener, follow: bool) -> anyhow::Result<Self> {
        let address = listener
            .local_addr()
            .context("The API's listener has no address")?;
        let target = Arc::new(OnceLock::new());
        let http = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build_http::<Full<axum::body::Bytes>>();
        let app = axum::Router::new().fallback(forward).with_state(Forward {
            http,
            target: Arc::clone(&target),
            follow,
        });
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, service).await;
        });
        Ok(Self {
            address,
            target,
            task,
        })
    }

    /// Returns the public address without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets the address to which the proxy appends each path. Only the first call has an effect.
    pub fn set_target(&self, target: String) {
        let _ = self.target.set(target);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(
    State(state): State<Forward>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response, Infallible> {
    let Some(target) = state.target.get() else {
        let sentence = "The API is still being deployed.\n";
        return Ok((StatusCode::SERVICE_UNAVAILABLE, sentence).into_response());
    };
    let call = format!(
        "{:4} {}",
        request.method(),
        without_token(request.uri().path())
    );
    let since = Instant::now();
    let response = send(state.http, target, peer, request)
        .await
        .unwrap_or_else(IntoResponse::into_response);
    if state.follow {
        let status = response.status().as_u16();
        say(&format!(
            "  api      {call} -> {status} in {} ms",
            since.elapsed().as_millis()
        ));
    }
    Ok(response)
}

/// Hides the secret token of a checkout URL.
fn without_token(path: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    if let ["", "checkouts", token, ..] = parts.as_mut_slice() {
        *token = "{token}";
    }
    parts.join("/")
}

async fn send(
    http: Http,
    target: &str,
    peer: SocketAddr,
    request: Request,
) -> Result<Response, (StatusCode, String)> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let uri = format!("{target}{path}").parse::<Uri>().map_err(|error| {
        (
            StatusCode::BAD_REQUEST,
            format!("This path cannot be forwarded: {error}\n"),
        )
    })?;
    let body = to_bytes(body, BODY_LIMIT).await.map_err(|_| {
        (
            StatusCode::PAYLOAD_TOO_LARGE,
            "The body is over 10 MB or was cut off.\n".to_owned(),
        )
    })?;

    let is_text = std::str::from_utf8(&body).is_ok();
    let mut onward = axum::http::Request::new(Full::new(body));
    *onward.method_mut() = parts.method;
    *onward.uri_mut() = uri;
    *onward.headers_mut() = end_to_end(parts.headers);
    add_peer(onward.headers_mut(), peer);
    if !is_text {
        // In a JSON body, the local AWS would replace the bytes that are not UTF-8. It does not change a binary body.
        let binary = HeaderValue::from_static("application/octet-stream");
        onward.headers_mut().insert(header::CONTENT_TYPE, binary);
    }

    let answer = tokio::time::timeout(TIME_LIMIT, http.request(onward))
        .await
        .map_err(|_| {
            (
                StatusCode::GATEWAY_TIMEOUT,
                "The API did not answer in time.\n".to_owned(),
            )
        })?
        .map_err(|error| {
            (
                StatusCode::BAD_GATEWAY,
                format!("The API cannot be reached: {error}\n"),
            )
        })?;
    let (parts, body) = answer.into_parts();
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = parts.status;
    *response.headers_mut() = end_to_end(parts.headers);
    Ok(response)
}

/// Removes the headers that apply to one connection, also those that `Connection` names.
fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
    headers
}

fn add_peer(headers: &mut HeaderMap, peer: SocketAddr) {
    let mut hops: Vec<String> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| Some(value.to_str().ok()?.to_owned()))
        .collect();
    hops.push(peer.ip().to_string());
    if let Ok(value) = HeaderValue::from_str(&hops.join(", ")) {
        headers.insert(FORWARDED_FOR, value);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn listener() -> TcpListener {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap()
    }

    /// Starts an API. Its answer is a redirect with two cookies, and repeats the request in the body.
    async fn api() -> String {
        let listener = listener().await;
        let address = listener.local_addr().unwrap();
        let app = axum::Router::new().fallback(async |request: Request| {
            let received = format!(
                "{} {} {:?}",
                request.method(),
                request.uri(),
                request.headers()
            );
            let headers = [
                ("location", "https://bank.example/"),
                ("set-cookie", "a=1"),
                ("set-cookie", "b=2"),
            ];
            let mut response = (StatusCode::SEE_OTHER, received).into_response();
            for (name, value) in headers {
                response
                    .headers_mut()
                    .append(name, HeaderValue::from_static(value));
            }
            response
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        format!("http://{address}/_aws/execute-api/abc/$default")
    }

    /// Sends a request as plain text, because an HTTP client would change the path.
    async fn exchange(proxy: &Proxy, head: &str) -> String {
        let mut connection = TcpStream::connect(proxy.address).await.unwrap();
        let request =
            format!("{head}\r\nHost: api.example\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_request_is_answered_503_when_there_is_no_target() {
        let proxy = Proxy::start(listener().await, false).unwrap();
        let answer = exchange(&proxy, "GET / HTTP/1.1").await;
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    }

    #[tokio::test]
    async fn a_path_and_an_answer_are_forwarded_unchanged() {
        let proxy = Proxy::start(listener().await, false).unwrap();
        proxy.set_target(api().await);
        let answer = exchange(
            &proxy,
            "DELETE /a%2Fb/../c?x=%20&x={} HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1",
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
        for part in [
            "DELETE /_aws/execute-api/abc/$default/a%2Fb/../c?x=%20&x={} ",
            "location: https://bank.example/\r\n",
            "set-cookie: a=1\r\n",
            "set-cookie: b=2\r\n",
            "\"x-forwarded-for\": \"192.0.2.1, 127.0.0.1\"",
        ] {
            assert!(answer.contains(part), "{part} is not in {answer}");
        }
        assert!(
            !answer.contains("x-hop") && !answer.contains("api.example"),
            "{answer}"
        );
    }
}
