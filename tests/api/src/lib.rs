//! Calls the HTTP functions through their routes, in this process, as API Gateway calls them.
//!
//! The handlers, the rules and the adapters are real. The tables have the template's keys and indexes (see `wire`), and
//! Gate is a small server that records its requests.

mod gate;
pub mod routes;
pub mod services;
pub mod snapshot;

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use aws::api_gateway;
use aws::dynamodb::DynamoStore;
use callback::handler::Callbacks;
use checkout::handler::Checkouts;
use ecommpay::fields::ProjectId;
use payments::decide::{Command, execute};
use payments::model::storefront::{Scope, Storefront};
use payments::ports::{Commit, PaymentStore};
use payments::service::storefront::key_id;
use payments::{MerchantId, PaymentKey, Timestamp, sha256};
use refund::handler::Refunds;
use serde_json::{Value, json};
use wire::{STOREFRONT_KEYS, TABLE, Wire};

pub use self::gate::Gate;
use self::services::{Services, TOKENS};

/// The key of the shop, with the scopes `checkout`, `read` and `refund`.
pub const SHOP: &str = "sk_shop_secret";
/// A key of the same shop with the scope `read` only.
pub const READER: &str = "sk_reader_secret";
/// A key of the same shop with the scopes `checkout` and `refund` only.
pub const WRITER: &str = "sk_writer_secret";
/// A key of the same shop with all scopes, also `project`.
pub const PROJECT: &str = "sk_project_secret";
/// The key of another shop in the same project.
pub const OTHER_SHOP: &str = "sk_other_secret";
/// A key of another storefront, whose payment ids must begin with `web-`.
pub const PREFIXED: &str = "sk_prefixed_secret";
/// The key of a shop with the same name in another project.
pub const OTHER_PROJECT: &str = "sk_abroad_secret";

/// The payment of the callbacks in `tests/data`.
pub const PAYMENT: &str = "ECT_TEST_1562051806691899";

const PROJECT_KEYS: &str =
    r#"{"211":{"current":"test-secret-key"},"212":{"current":"another-secret-key"}}"#;

/// The HTTP functions, and the services that the functions call. A method that calls a function fails if the function
/// fails.
pub struct Api {
    /// The tables, the queues and the secrets.
    pub wire: Wire,
    /// Gate.
    pub gate: Gate,
    /// The function that serves checkouts and payments.
    pub checkouts: Checkouts,
    refunds: Refunds,
    callbacks: Callbacks,
}

/// One request.
#[derive(Debug, Clone, Default)]
pub struct Call<'a> {
    /// The route; see [`routes`].
    pub route: &'a str,
    /// The decoded parameters of the path, in their order.
    pub parameters: &'a [&'a str],
    /// The key of the storefront. An empty text means a request without a key.
    pub key: &'a str,
    /// Further headers.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: String,
}

/// One response.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub text: String,
    /// The parsed body; null if it is not JSON.
    pub json: Value,
}

impl Answer {
    /// Returns the pointers of the fields that a problem names, in the order of the problem.
    pub fn pointers(&self) -> Vec<&str> {
        let errors = self.json.get("errors").and_then(Value::as_array);
        let pointers = errors.into_iter().flatten();
        pointers
            .filter_map(|error| error.get("pointer")?.as_str())
            .collect()
    }

    /// Returns the header `location`.
    pub fn location(&self) -> Option<&str> {
        self.headers.get("location").map(String::as_str)
    }

    /// Returns the token of a checkout.
    ///
    /// # Errors
    ///
    /// If the answer has no `checkout_url`.
    pub fn token(&self) -> anyhow::Result<&str> {
        let url = self.json.get("checkout_url").and_then(Value::as_str);
        let (_, token) = url
            .and_then(|url| url.rsplit_once('/'))
            .context("the answer has no checkout URL")?;
        Ok(token)
    }
}

impl Api {
    /// Starts the services: tables that contain only the storefront keys, and a Gate that accepts every request.
    ///
    /// # Errors
    ///
    /// If a service cannot be started.
    pub async fn start() -> anyhow::Result<Self> {
        let wire = Wire::start().await?;
        wire.set_secret(PROJECT_KEYS);
        wire.set_secret_of(TOKENS, &"s".repeat(32));
        let gate = Gate::start().await?;
        let keys = DynamoStore::new(wire.config(), TABLE).storefront_keys(STOREFRONT_KEYS);
        use Scope::{Checkout, Project, Read, Refund};
        for (key, name, project, scopes) in [
            (SHOP, "shop", 211, &[Checkout, Read, Refund][..]),
            (READER, "shop", 211, &[Read]),
            (WRITER, "shop", 211, &[Checkout, Refund]),
            (PROJECT, "shop", 211, &[Checkout, Project, Read, Refund]),
            (OTHER_SHOP, "other", 211, &[Checkout, Read, Refund]),
            (PREFIXED, "prefixed", 211, &[Checkout, Read, Refund]),
            (OTHER_PROJECT, "shop", 212, &[Checkout, Read, Refund]),
        ] {
            let prefix = (key == PREFIXED).then(|| MerchantId::new("web-"));
            let storefront = Storefront {
                key_id: key_id(key)
                    .context("the text is not a storefront key")?
                    .to_owned(),
                key_hash: sha256::hex(key.as_bytes()),
                name: name.into(),
                project_id: ProjectId::new(project)?,
                scopes: scopes.iter().copied().collect(),
                return_origins: ["https://shop.example".into()].into(),
                payment_id_prefix: prefix.flatten(),
            };
            keys.add(&storefront, Timestamp::now()).await?;
        }
        let services = Services {
            table: wire.config().clone(),
            queues: wire.config().clone(),
            secrets: wire.config().clone(),
            gate: gate.address().to_owned(),
            queue_urls: vec!["https://queues.example/audit".to_owned()],
        };
        Ok(Self {
            checkouts: services.checkouts()?,
            refunds: services.refunds()?,
            callbacks: services.callbacks(),
            gate,
            wire,
        })
    }

    /// Calls the function of a route.
    pub async fn call(&self, call: Call<'_>) -> anyhow::Result<Answer> {
        self.call_with(call.route, &event(&call)).await
    }

    /// Calls the function of a route with an event of the gateway.
    pub async fn call_with(&self, route: &str, event: &Value) -> anyhow::Result<Answer> {
        let request = api_gateway::read_request(&event.to_string());
        let answer = match route {
            // The futures are on the heap, because a test makes many calls and a thread's stack has only 2 MB.
            routes::CALLBACKS => Box::pin(self.callbacks.handle(request)).await,
            route if route.contains("/refunds") => Box::pin(self.refunds.handle(request)).await,
            _ => Box::pin(self.checkouts.handle(request)).await,
        };
        let headers = answer.headers().iter();
        Ok(Answer {
            status: answer.status().as_u16(),
            headers: headers
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("").to_owned()))
                .collect(),
            json: serde_json::from_str(answer.body()).unwrap_or_default(),
            text: answer.into_body(),
        })
    }

    /// Calls a route with the shop's key and without a body.
    pub async fn get(&self, route: &str, parameters: &[&str]) -> anyhow::Result<Answer> {
        self.call(Call {
            route,
            parameters,
            key: SHOP,
            ..Call::default()
        })
        .await
    }

    /// Calls a route with the shop's key and a body.
    pub async fn post(
        &self,
        route: &str,
        parameters: &[&str],
        body: &Value,
    ) -> anyhow::Result<Answer> {
        self.call(Call {
            route,
            parameters,
            key: SHOP,
            body: body.to_string(),
            ..Call::default()
        })
        .await
    }

    /// Requests a checkout with the shop's key.
    pub async fn checkout(&self, order: &Value) -> anyhow::Result<Answer> {
        self.post(routes::CHECKOUTS, &[], order).await
    }

    /// Reads a payment with the shop's key.
    pub async fn payment(&self, payment_id: &str) -> anyhow::Result<Answer> {
        self.get(routes::PAYMENT, &[payment_id]).await
    }

    /// Requests a refund with the shop's key.
    pub async fn refund(&self, payment_id: &str, refund: &Value) -> anyhow::Result<Answer> {
        self.post(routes::REFUNDS, &[payment_id], refund).await
    }

    /// Sends a callback of the platform. `file` is a path relative to `tests/data/callbacks`.
    ///
    /// # Errors
    ///
    /// If the answer is not 200.
    pub async fn report(&self, file: &str) -> anyhow::Result<()> {
        let answer = self.call(Call {
            route: routes::CALLBACKS,
            body: std::fs::read_to_string(snapshot::callback(file))?,
            ..Call::default()
        });
        let status = answer.await?.status;
        ensure!(status == 200, "{file} was answered {status}");
        Ok(())
    }

    /// Emits `checkout.expired` before the checkout has expired, so that no test must wait.
    ///
    /// # Errors
    ///
    /// If the payment does not exist, or its checkout cannot expire.
    pub async fn expire(&self, payment_id: &str) -> anyhow::Result<()> {
        let store = &self.checkouts.payments.store;
        let key = PaymentKey::new(ProjectId::new(211)?, payment_id);
        let stored = store.load(&key).await?.context("there is no payment")?;
        let order = stored.payment.order().context("the payment has no order")?;
        let expired = execute(Some(&stored.payment), Command::Expire, order.expires_at);
        let change = expired.ok().flatten();
        let change = change.context("the checkout cannot expire")?;
        let commit = Commit {
            change: &change,
            next: None,
            over: Some(&stored),
            token_hash: None,
        };
        store.commit(commit).await?;
        Ok(())
    }

    /// Returns whether a function has made a call other than `GetItem`, `Query` or `GetSecretValue` since the last
    /// [`Wire::forget`]. Sends to a queue count.
    pub fn has_written(&self) -> bool {
        let calls = self.wire.calls();
        calls
            .iter()
            .any(|call| !matches!(call.as_str(), "GetItem" | "Query" | "GetSecretValue"))
    }
}

/// Returns an order of 10.00 EUR.
pub fn order(payment_id: &str) -> Value {
    json!({
        "payment_id": payment_id,
        "order_id": "order-1001",
        "amount": 1000,
        "currency": "EUR",
        "customer": { "id": "c-42", "ip_address": "192.0.2.10", "last_name": "Janssens" },
        "return_url": "https://shop.example/thanks",
    })
}

/// Returns a refund of 4.00 EUR.
pub fn refund(refund_id: &str) -> Value {
    json!({ "refund_id": refund_id, "amount": 400, "currency": "EUR", "description": "returned" })
}

/// Returns the event that API Gateway sends for a call, in payload format 2.0.
pub fn event(call: &Call<'_>) -> Value {
    let (method, path) = call.route.split_once(' ').unwrap_or_default();
    let names = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameters: BTreeMap<&str, &str> = names.zip(call.parameters.iter().copied()).collect();
    let mut headers: BTreeMap<&str, String> = BTreeMap::new();
    if !call.key.is_empty() {
        headers.insert("authorization", format!("Bearer {}", call.key));
    }
    for (name, value) in call.headers {
        headers.insert(name, (*value).to_owned());
    }
    json!({
        "version": "2.0",
        "routeKey": call.route,
        "rawPath": "/",
        "rawQueryString": "",
        "headers": headers,
        "pathParameters": parameters,
        "requestContext": {
            "routeKey": call.route, "accountId": "1", "apiId": "api", "stage": "$default", "requestId": "1",
            "domainName": "gateway.example", "domainPrefix": "api", "time": "", "timeEpoch": 0,
            "http": {
                "method": method, "path": "/", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test",
            },
        },
        "body": call.body,
        "isBase64Encoded": false,
    })
}
