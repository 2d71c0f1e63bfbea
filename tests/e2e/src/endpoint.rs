//! Adds an endpoint of the sandbox's storefront, and receives the events that are posted to it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, ensure};
use aws::dynamodb::DynamoStore;
use aws::dynamodb::webhooks::{WebhookDeliveries, WebhookEndpoints};
use aws::secrets::CachedWebhookSecret;
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use ecommpay::fields::ProjectId;
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
}

impl Received {
    /// Returns the event.
    pub fn event(&self) -> anyhow::Result<Value> {
        let event = serde_json::from_str(&self.body)?;
        schemas::check(&event)?;
        Ok(event)
    }
}

/// An endpoint that runs in this process.
#[derive(Debug)]
pub struct TestEndpoint {
    /// The endpoint, as it is stored.
    pub endpoint: Endpoint,
    secret: CachedWebhookSecret,
    received: Arc<Mutex<Vec<Received>>>,
    status: Arc<AtomicU16>,
}

impl TestEndpoint {
    /// Starts an endpoint that wants all events and accepts them, and stores it.
    pub async fn start(ready: &Ready, id: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/events?shop=1", listener.local_addr()?);
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let status = Arc::new(AtomicU16::new(204));
        let service = Router::new().fallback({
            let (received, status) = (Arc::clone(&received), Arc::clone(&status));
            async move |headers: HeaderMap, body: Bytes| {
                let texts = headers.iter().map(|(name, value)| {
                    let value = String::from_utf8_lossy(value.as_bytes());
                    (name.to_string(), value.into_owned())
                });
                let request = Received {
                    headers: texts.collect(),
                    body: String::from_utf8_lossy(&body).into_owned(),
                };
                let mut all = received.lock().unwrap_or_else(PoisonError::into_inner);
                all.push(request);
                StatusCode::from_u16(status.load(Ordering::Relaxed)).unwrap_or_default()
            }
        });
        tokio::spawn(async move { axum::serve(listener, service).await });
        let endpoint = endpoint(ready, id, &url)?;
        let added = stores(ready)?.endpoints.add(&endpoint).await?;
        ensure!(added, "there is an endpoint {id}");
        let secret = ready.webhook_secret.as_deref();
        let secret = secret.context("the sandbox has no webhooks")?;
        Ok(Self {
            secret: CachedWebhookSecret::new(&account(ready), secret),
            endpoint,
            received,
            status,
        })
    }

    /// Sets the status of the following answers.
    pub fn answer(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    /// Returns all requests in the order of their arrival.
    pub fn received(&self) -> Vec<Received> {
        let all = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        all.clone()
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

/// Returns an endpoint of the sandbox's storefront. It wants all events.
pub fn endpoint(ready: &Ready, id: &str, url: &str) -> anyhow::Result<Endpoint> {
    Ok(Endpoint {
        key: EndpointKey {
            owner: EndpointOwner {
                project_id: ProjectId::new(ready.project_id.into())?,
                storefront: STOREFRONT.to_owned(),
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
