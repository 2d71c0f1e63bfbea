//! Tests that `callback` and `checkout` open connections during init, and use them for the first event. Init also ends
//! if a connection cannot be opened.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use api::services::Services;
use api::{Api, PAYMENT, order, snapshot};
use aws::gate_http::HttpGate;
use aws::sdk;
use aws_credential_types::Credentials;
use aws_types::SdkConfig;
use axum::{Json, Router};
use lambda_http::{Body, Request};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use wire::CountingProxy;

/// This time is much longer than the longest wait of init for a connection.
const LONG: Duration = Duration::from_secs(60);
/// The time that a function takes to request its first event from Lambda.
const UNTIL_THE_FIRST_EVENT: Duration = Duration::from_millis(100);

/// A proxy for each service.
struct Proxies {
    table: CountingProxy,
    queues: CountingProxy,
    secrets: CountingProxy,
    gate: CountingProxy,
}

impl Proxies {
    /// Returns proxies to services that answer. The table and Gate are those of `api`.
    async fn answering(api: &Api) -> Self {
        let sent = json!({ "MessageId": "1", "MD5OfMessageBody": "not computed" });
        // Both secrets have this text. It is also long enough for the secret of checkout tokens.
        let keys = r#"{"211":{"current":"test-secret-key"}}"#;
        let secret = json!({ "Name": "secret", "SecretString": keys });
        let table = api.wire.config().endpoint_url().unwrap();
        let (queues, secrets) = (serve(sent).await, serve(secret).await);
        Self::to([table, &queues, &secrets, api.gate.address()]).await
    }

    /// Returns proxies that accept connections, but never answer.
    async fn hanging() -> Self {
        Self {
            table: CountingProxy::without_server().await.unwrap(),
            queues: CountingProxy::without_server().await.unwrap(),
            secrets: CountingProxy::without_server().await.unwrap(),
            gate: CountingProxy::without_server().await.unwrap(),
        }
    }

    async fn to([table, queues, secrets, gate]: [&str; 4]) -> Self {
        Self {
            table: CountingProxy::to(table).await.unwrap(),
            queues: CountingProxy::to(queues).await.unwrap(),
            secrets: CountingProxy::to(secrets).await.unwrap(),
            gate: CountingProxy::to(gate).await.unwrap(),
        }
    }

    /// Returns the connections to the table, the queues, the secrets and Gate.
    fn connections(&self) -> [usize; 4] {
        [&self.table, &self.queues, &self.secrets, &self.gate].map(CountingProxy::connections)
    }

    /// Returns the services behind the proxies. As in a function, one HTTP client calls all of them.
    fn services(&self, queue_urls: &[&str]) -> Services {
        let credentials = Credentials::new("test", "test", None, None, "test");
        let config = sdk::config("eu-west-1".into(), credentials, None);
        let through = |proxy: &CountingProxy| -> SdkConfig {
            let config = config.clone().into_builder();
            config.endpoint_url(proxy.address()).build()
        };
        Services {
            table: through(&self.table),
            queues: through(&self.queues),
            secrets: through(&self.secrets),
            gate: self.gate.address(),
            queue_urls: queue_urls.iter().map(|url| (*url).to_owned()).collect(),
        }
    }
}

const ONE_QUEUE: &[&str] = &["https://one.example"];
const TWO_QUEUES: &[&str] = &["https://one.example", "https://other.example"];

/// Starts a service that answers all requests with `answer`, and returns its address.
async fn serve(answer: Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new().fallback(move || async move { Json(answer) });
    tokio::spawn(async { axum::serve(listener, routes).await });
    address
}

fn paid() -> Request {
    let body = std::fs::read(snapshot::callback("sale_success.json")).unwrap();
    Request::new(Body::Binary(body))
}

#[tokio::test]
async fn a_callback_to_two_queues_uses_the_connections_from_init() {
    let api = Api::start().await.unwrap();
    api.checkout(&order(PAYMENT)).await.unwrap();
    let proxies = Proxies::answering(&api).await;
    let callbacks = proxies.services(TWO_QUEUES).callbacks();
    callbacks.prewarm().await;
    assert_eq!(proxies.connections(), [1, 2, 1, 0]);

    sleep(UNTIL_THE_FIRST_EVENT).await;
    let answer = callbacks.handle(paid()).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(proxies.connections(), [1, 2, 1, 0]);
}

#[tokio::test]
async fn a_checkout_uses_the_connections_from_init() {
    let mut api = Api::start().await.unwrap();
    let proxies = Proxies::answering(&api).await;
    api.checkouts = proxies.services(ONE_QUEUE).checkouts().unwrap();
    api.checkouts.prewarm().await;
    // The two secrets are read at the same time, each over its own connection.
    assert_eq!(proxies.connections(), [1, 1, 2, 1]);

    sleep(UNTIL_THE_FIRST_EVENT).await;
    let answer = api.checkout(&order("first")).await.unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(proxies.connections(), [1, 1, 2, 1]);
}

#[tokio::test]
async fn init_ends_in_time_when_no_service_answers() {
    let proxies = Proxies::hanging().await;
    let callbacks = proxies.services(TWO_QUEUES).callbacks();
    let checkouts = proxies.services(ONE_QUEUE).checkouts().unwrap();
    let opened = async { tokio::join!(callbacks.prewarm(), checkouts.prewarm()) };
    timeout(LONG, opened).await.unwrap();
    assert_eq!(proxies.connections(), [2, 3, 3, 1], "init must connect");
}

#[tokio::test]
async fn a_callback_is_answered_503_when_no_service_answers() {
    let proxies = Proxies::hanging().await;
    let callbacks = proxies.services(TWO_QUEUES).callbacks();
    let answer = timeout(LONG, callbacks.handle(paid())).await;
    assert_eq!(answer.unwrap().status(), 503);
    assert_eq!(
        proxies.connections(),
        [0, 0, 3, 0],
        "the read of the secret must be retried"
    );
}

#[tokio::test]
async fn init_ends_in_time_when_every_service_refuses_connections() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let proxies = Proxies::to([&address; 4]).await;
    let checkouts = proxies.services(ONE_QUEUE).checkouts().unwrap();
    timeout(LONG, checkouts.prewarm()).await.unwrap();
    let gate = HttpGate::new(address).unwrap();
    timeout(LONG, gate.prewarm()).await.unwrap();
}
