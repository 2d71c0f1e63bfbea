//! Adds an endpoint of the sandbox's storefront, and receives the events that are posted to it.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, ensure};
use aws::dynamodb::DynamoStore;
use aws::dynamodb::webhooks::{WebhookDeliveries, WebhookEndpoints};
use aws::secrets::CachedWebhookSecret;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ecommpay::fields::ProjectId;
use futures_util::stream;
use payments::Timestamp;
use payments::model::webhook::{
    Endpoint, EndpointId, EndpointKey, EndpointOwner, EndpointUrl, LoopbackHosts, RetrySchedule,
    SecretVersions,
};
use payments::ports::SystemClock;
use payments::service::webhook::Webhooks;
use sandbox::Ready;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::{account, eventually};

/// The storefront whose key the tests use.
const STOREFRONT: &str = "sandbox";

/// A request that an endpoint received.
#[derive(Debug, Clone)]
pub struct Received {
    /// The headers by name.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
    /// The status of the answer; `None` without an answer or with a redirect.
    pub status: Option<u16>,
}

impl Received {
    /// Returns the event.
    pub fn event(&self) -> anyhow::Result<Value> {
        let event = serde_json::from_str(&self.body)?;
        schemas::check(&event)?;
        Ok(event)
    }
}

/// The answer of an endpoint.
#[derive(Debug, Clone)]
pub enum Answer {
    /// This status.
    Status(u16),
    /// A redirect to this URL.
    Redirect(String),
    /// This status, with a body that does not end.
    Endless(u16),
    /// No answer.
    Never,
}

impl Answer {
    fn status(&self) -> Option<u16> {
        match self {
            Self::Status(code) | Self::Endless(code) => Some(*code),
            Self::Redirect(_) | Self::Never => None,
        }
    }

    async fn response(self) -> Response {
        let status = |code| StatusCode::from_u16(code).unwrap_or_default();
        match self {
            Self::Status(code) => status(code).into_response(),
            // With this status, a client that follows the redirect posts the event again.
            Self::Redirect(url) => {
                (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, url)]).into_response()
            }
            Self::Endless(code) => {
                let parts = stream::repeat(Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 1024])));
                (status(code), Body::from_stream(parts)).into_response()
            }
            Self::Never => std::future::pending().await,
        }
    }
}

/// An endpoint that runs in this process.
#[derive(Debug)]
pub struct TestEndpoint {
    /// The endpoint, as it is stored.
    pub endpoint: Endpoint,
    secret: CachedWebhookSecret,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    received: Vec<Received>,
    first: VecDeque<Answer>,
    status: u16,
}

impl TestEndpoint {
    /// Starts an endpoint of the sandbox's storefront that wants all events and accepts them, and stores it.
    pub async fn start(ready: &Ready, id: &str) -> anyhow::Result<Self> {
        Self::start_of(ready, STOREFRONT, id).await
    }

    /// Starts an endpoint of this storefront as [`TestEndpoint::start`] does.
    pub async fn start_of(ready: &Ready, storefront: &str, id: &str) -> anyhow::Result<Self> {
        let state = Arc::new(Mutex::new(State {
            received: Vec::new(),
            first: VecDeque::new(),
            status: 204,
        }));
        let url = format!("{}/events?shop=1", serve(Arc::clone(&state)).await?);
        let endpoint = endpoint_of(ready, storefront, id, &url)?;
        let added = stores(ready)?.endpoints.add(&endpoint).await?;
        ensure!(added, "there is an endpoint {id}");
        let secret = ready.webhook_secret.as_deref();
        let secret = secret.context("the sandbox has no webhooks")?;
        Ok(Self {
            secret: CachedWebhookSecret::new(&account(ready), secret),
            endpoint,
            state,
        })
    }

    /// Sets the status of the following answers.
    pub fn answer(&self, status: u16) {
        lock(&self.state).status = status;
    }

    /// Sets the answers to the next requests. Later requests get the status of [`TestEndpoint::answer`].
    pub fn answer_first(&self, answers: impl IntoIterator<Item = Answer>) {
        lock(&self.state).first = answers.into_iter().collect();
    }

    /// Returns all requests in the order of their arrival.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.state).received.clone()
    }

    /// Waits until an event of this type about a payment has arrived. Returns the events about this payment.
    pub async fn until(&self, payment_id: &str, kind: &str) -> anyhow::Result<Vec<Value>> {
        let what = format!("a POST of {kind}");
        let arrived = eventually(&what, async || {
            let received = self.received();
            let events = received.iter().map(Received::event);
            let mut events: Vec<Value> = events.collect::<anyhow::Result<_>>()?;
            events.retain(|event| event["subject"] == payment_id);
            let has_arrived = events.iter().any(|event| event["type"] == kind);
            Ok(has_arrived.then_some(events))
        });
        arrived.await
    }

    /// Checks that a request has the headers that Standard Webhooks defines, signed with the endpoint's secret.
    pub async fn ensure_signed(&self, request: &Received) -> anyhow::Result<()> {
        let header = |name: &str| {
            let value = request.headers.get(name).map(String::as_str);
            value.with_context(|| format!("{name} is missing: {request:?}"))
        };
        let event = request.event()?;
        let id = event["id"].as_str().context("the event has no id")?;
        let seconds: i64 = header("webhook-timestamp")?.parse()?;
        let at = Timestamp::from_millis(1_000 * seconds);
        let master = self.secret.get().await?;
        let signed = self.endpoint.sign(master, id, request.body.clone(), at);
        for (name, expected) in signed.headers() {
            let value = header(name)?;
            ensure!(value == expected, "{name}: {value}");
        }
        Ok(())
    }
}

/// Starts a server, and returns its address.
async fn serve(state: Arc<Mutex<State>>) -> anyhow::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = format!("http://{}", listener.local_addr()?);
    let service = Router::new().fallback(async move |headers: HeaderMap, body: Bytes| {
        let texts = headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), value.into_owned())
        });
        let mut request = Received {
            headers: texts.collect(),
            body: String::from_utf8_lossy(&body).into_owned(),
            status: None,
        };
        let answer = {
            let mut state = lock(&state);
            let first = state.first.pop_front();
            let answer = first.unwrap_or(Answer::Status(state.status));
            request.status = answer.status();
            state.received.push(request);
            answer
        };
        answer.response().await
    });
    tokio::spawn(async move { axum::serve(listener, service).await });
    Ok(address)
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns an endpoint of the sandbox's storefront. It wants all events.
pub fn endpoint(ready: &Ready, id: &str, url: &str) -> anyhow::Result<Endpoint> {
    endpoint_of(ready, STOREFRONT, id, url)
}

/// Returns an endpoint of this storefront. It wants all events.
pub fn endpoint_of(
    ready: &Ready,
    storefront: &str,
    id: &str,
    url: &str,
) -> anyhow::Result<Endpoint> {
    Ok(Endpoint {
        key: EndpointKey {
            owner: EndpointOwner {
                project_id: ProjectId::new(ready.project_id.into())?,
                storefront: storefront.to_owned(),
            },
            id: EndpointId::new(id).context("not the id of an endpoint")?,
        },
        url: EndpointUrl::parse(url, LoopbackHosts::Allowed)?,
        types: [].into(),
        secrets: SecretVersions::FIRST,
        created_at: Timestamp::now(),
    })
}

/// Returns the stores of endpoints and deliveries, with an administrator's rights.
pub fn stores(
    ready: &Ready,
) -> anyhow::Result<Webhooks<WebhookEndpoints, WebhookDeliveries, SystemClock>> {
    let table = |name: &Option<String>| name.clone().context("the sandbox has no webhooks");
    let store = DynamoStore::new(&account(ready), ready.table.clone());
    let endpoints = table(&ready.webhook_endpoints_table)?;
    Ok(Webhooks {
        endpoints: store.webhook_endpoints(endpoints, LoopbackHosts::Allowed),
        deliveries: store.webhook_deliveries(table(&ready.webhook_deliveries_table)?),
        clock: SystemClock,
        schedule: RetrySchedule::default(),
    })
}
