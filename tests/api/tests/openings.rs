//! What init opens is what the first event uses; and what cannot be opened keeps nobody.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use api::{Api, PAYMENT, order, snapshot};
use aws_credential_types::Credentials;
use aws_types::SdkConfig;
use axum::{Json, Router};
use callback::handler::Callbacks;
use checkout::handler::Checkouts;
use lambda_http::{Body, Request};
use payments::Payments;
use payments::adapters::aws;
use payments::adapters::dynamodb::DynamoStore;
use payments::adapters::gate_http::HttpGate;
use payments::adapters::live::LivePayments;
use payments::adapters::secrets::{KeptTokenSecret, ProjectKeySecret};
use payments::adapters::sqs::SqsQueue;
use payments::config::QueueConfig;
use payments::payment_page::PaymentPageSettings;
use payments::ports::SystemClock;
use payments::schedule::Schedule;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use wire::{CountingProxy, TABLE};

/// Much longer than init waits for anything.
const LONG: Duration = Duration::from_secs(60);
/// Between init and the first event a function asks Lambda for it.
const UNTIL_THE_FIRST_EVENT: Duration = Duration::from_millis(100);

/// The services, each behind a door of its own.
struct Services {
    table: CountingProxy,
    queues: CountingProxy,
    secrets: CountingProxy,
    gate: CountingProxy,
    /// One HTTP client for all of them, as in a function.
    aws: SdkConfig,
}

impl Services {
    /// All answer: the table and Gate are those of an API.
    async fn of(api: &Api) -> Self {
        let table = api.wire.config().endpoint_url().unwrap();
        let sent = json!({ "MessageId": "1", "MD5OfMessageBody": "not computed" });
        // Long enough to serve as the other secret too.
        let keys = r#"{"211":{"current":"test-secret-key"}}"#;
        let secret = json!({ "Name": "secret", "SecretString": keys });
        Self {
            table: CountingProxy::to(table).await.unwrap(),
            queues: CountingProxy::to(&answering(sent).await).await.unwrap(),
            secrets: CountingProxy::to(&answering(secret).await).await.unwrap(),
            gate: CountingProxy::to(api.gate.address()).await.unwrap(),
            aws: config(),
        }
    }

    /// None answers.
    async fn hanging() -> Self {
        Self {
            table: CountingProxy::without_server().await.unwrap(),
            queues: CountingProxy::without_server().await.unwrap(),
            secrets: CountingProxy::without_server().await.unwrap(),
            gate: CountingProxy::without_server().await.unwrap(),
            aws: config(),
        }
    }

    /// The connections to table, queues, secrets and Gate.
    fn connections(&self) -> [usize; 4] {
        [&self.table, &self.queues, &self.secrets, &self.gate].map(CountingProxy::connections)
    }

    fn at(&self, door: &CountingProxy) -> SdkConfig {
        let config = self.aws.clone().into_builder();
        config.endpoint_url(door.address()).build()
    }

    fn payments(&self, queues: &[&str]) -> LivePayments {
        let queue = |url: &&str| QueueConfig {
            url: (*url).to_owned(),
            types: None,
        };
        let queues = queues.iter().map(queue).collect();
        Payments {
            store: DynamoStore::new(&self.at(&self.table), TABLE),
            queues: SqsQueue::all(&self.at(&self.queues), queues),
            clock: SystemClock,
            schedule: Schedule::default(),
        }
    }

    fn callbacks(&self) -> Callbacks {
        let keys = ProjectKeySecret::new(&self.at(&self.secrets), "keys");
        Callbacks::new(
            self.payments(&["https://one.example", "https://other.example"]),
            keys,
        )
    }

    fn checkouts(&self) -> Checkouts {
        let secrets = self.at(&self.secrets);
        Checkouts {
            payments: self.payments(&["https://one.example"]),
            keys: ProjectKeySecret::new(&secrets, "keys"),
            gate: HttpGate::new(self.gate.address()).unwrap(),
            tokens: KeptTokenSecret::new(&secrets, "token"),
            base_url: "https://api.example".into(),
            page_url: "https://page.example/payment".into(),
            page_settings: PaymentPageSettings {
                languages: [].into(),
                automatic_return: true,
            },
        }
    }
}

fn config() -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "test");
    aws::config("eu-west-1".into(), credentials, None)
}

/// A service that gives one answer to everything.
async fn answering(answer: Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new().fallback(move || async move { Json(answer) });
    tokio::spawn(async { axum::serve(listener, routes).await });
    address
}

#[tokio::test]
async fn a_callback_to_two_queues_finds_every_connection_open() {
    let api = Api::start().await.unwrap();
    api.checkout(&order(PAYMENT)).await.unwrap();
    let services = Services::of(&api).await;
    let callbacks = services.callbacks();
    callbacks.open().await;
    assert_eq!(services.connections(), [1, 2, 1, 0]);

    sleep(UNTIL_THE_FIRST_EVENT).await;
    let body = std::fs::read(snapshot::data().join("callbacks/sale_success.json")).unwrap();
    let request = Request::new(Body::Binary(body));
    let answer = callbacks.handle(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(services.connections(), [1, 2, 1, 0]);
}

#[tokio::test]
async fn a_checkout_finds_every_connection_open() {
    let mut api = Api::start().await.unwrap();
    let services = Services::of(&api).await;
    api.checkouts = services.checkouts();
    api.checkouts.open().await;
    // Both secrets are fetched at once.
    assert_eq!(services.connections(), [1, 1, 2, 1]);

    sleep(UNTIL_THE_FIRST_EVENT).await;
    let answer = api.checkout(&order("first")).await.unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(services.connections(), [1, 1, 2, 1]);
}

#[tokio::test]
async fn services_that_hang_do_not_keep_init() {
    let services = Services::hanging().await;
    let (callbacks, checkouts) = (services.callbacks(), services.checkouts());
    let opened = async { tokio::join!(callbacks.open(), checkouts.open()) };
    timeout(LONG, opened).await.unwrap();
    assert_eq!(services.connections(), [2, 3, 3, 1], "it was tried");
}

#[tokio::test]
async fn a_call_that_is_not_answered_ends() {
    let services = Services::hanging().await;
    let callbacks = services.callbacks();
    let body = std::fs::read(snapshot::data().join("callbacks/sale_success.json")).unwrap();
    let handled = callbacks.handle(Request::new(Body::Binary(body)));
    let answer = timeout(LONG, handled).await.unwrap().unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(services.connections(), [0, 0, 3, 0], "it was tried again");
}

#[tokio::test]
async fn services_that_are_gone_do_not_keep_init() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let services = Services {
        table: CountingProxy::to(&address).await.unwrap(),
        queues: CountingProxy::to(&address).await.unwrap(),
        secrets: CountingProxy::to(&address).await.unwrap(),
        gate: CountingProxy::to(&address).await.unwrap(),
        aws: config(),
    };
    timeout(LONG, services.checkouts().open()).await.unwrap();
    let gate = HttpGate::new(address).unwrap();
    timeout(LONG, gate.open()).await.unwrap();
}
