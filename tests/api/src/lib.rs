//! The HTTP functions in this process, called through their routes as the gateway calls them.
//!
//! Handlers, rules and adapters are the real ones; the table is the template's (see `wire`), and
//! Gate is a small server that writes down what it is sent.

mod gate;
pub mod snapshot;

use std::collections::BTreeMap;

use anyhow::{Context, anyhow};
use aws::config::QueueConfig;
use aws::dynamodb::DynamoStore;
use aws::environment::LivePayments;
use aws::gate_http::HttpGate;
use aws::secrets::{CachedProjectKeys, CachedTokenSecret};
use aws::sqs::SqsQueue;
use callback::handler::Callbacks;
use checkout::handler::Checkouts;
use ecommpay::fields::ProjectId;
use lambda_http::Response;
use payments::model::schedule::Schedule;
use payments::model::storefront::{Scope, Storefront};
use payments::ports::SystemClock;
use payments::service::checkout::payment_page::PaymentPageSettings;
use payments::service::storefront::key_id;
use payments::sha256;
use payments::{Payments, Timestamp};
use refund::handler::Refunds;
use serde_json::{Value, json};
use wire::{TABLE, Wire};

pub use self::gate::Gate;

/// The shop's key.
pub const SHOP: &str = "sk_shop_secret";
/// The same shop's key that can only read.
pub const READER: &str = "sk_reader_secret";
/// A key of another shop in the same project.
pub const OTHER_SHOP: &str = "sk_other_secret";
/// A key of a shop of the same name in another project.
pub const OTHER_PROJECT: &str = "sk_abroad_secret";

/// The payment of the callbacks in `tests/data`.
pub const PAYMENT: &str = "ECT_TEST_1562051806691899";

const PROJECT_KEYS: &str =
    r#"{"211":{"current":"test-secret-key"},"212":{"current":"another-secret-key"}}"#;

/// The functions, what they stand on, and who calls them.
pub struct Api {
    /// The table and the queues.
    pub wire: Wire,
    /// The platform.
    pub gate: Gate,
    /// Checkouts and payments.
    pub checkouts: Checkouts,
    refunds: Refunds,
    callbacks: Callbacks,
}

/// One call.
#[derive(Debug, Clone, Default)]
pub struct Call<'a> {
    /// As in the template.
    pub route: &'a str,
    /// The parameters of the path, in their order, decoded.
    pub parameters: &'a [&'a str],
    /// The storefront's key; empty for none.
    pub key: &'a str,
    /// More headers.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: String,
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: BTreeMap<String, String>,
    /// The body, as it is.
    pub text: String,
    /// The body, if it is JSON.
    pub json: Value,
}

impl Answer {
    /// The fields that a problem names, in its order.
    pub fn pointers(&self) -> Vec<&str> {
        let errors = self.json.get("errors").and_then(Value::as_array);
        let pointers = errors.into_iter().flatten();
        pointers
            .filter_map(|error| error.get("pointer")?.as_str())
            .collect()
    }
}

impl Api {
    /// An empty table with the storefronts' keys, and a Gate that takes everything.
    ///
    /// # Errors
    ///
    /// When anything cannot be set up.
    pub async fn start() -> anyhow::Result<Self> {
        let wire = Wire::start().await?;
        wire.set_secret(PROJECT_KEYS);
        wire.set_secret_of("tokens", &"s".repeat(32));
        let gate = Gate::start().await?;
        let store = DynamoStore::new(wire.config(), TABLE);
        use Scope::{Checkout, Read, Refund};
        for (key, name, project, scopes) in [
            (SHOP, "shop", 211, &[Checkout, Read, Refund][..]),
            (READER, "shop", 211, &[Read]),
            (OTHER_SHOP, "other", 211, &[Checkout, Read, Refund]),
            (OTHER_PROJECT, "shop", 212, &[Checkout, Read, Refund]),
        ] {
            let storefront = Storefront {
                key_id: key_id(key).context("not a key")?.to_owned(),
                key_hash: sha256::hex(key.as_bytes()),
                name: name.into(),
                project_id: ProjectId::new(project)?,
                scopes: scopes.iter().copied().collect(),
                return_origins: ["https://shop.example".into()].into(),
            };
            store
                .add_storefront_key(&storefront, Timestamp::now())
                .await?;
        }
        let keys = || CachedProjectKeys::new(wire.config(), "keys");
        let checkouts = Checkouts {
            payments: live(&wire),
            keys: keys(),
            gate: HttpGate::new(gate.address())?,
            tokens: CachedTokenSecret::new(wire.config(), "tokens"),
            base_url: "https://api.example".into(),
            page_url: "https://page.example/payment".into(),
            page_settings: PaymentPageSettings {
                languages: ["en", "fr", "de"].map(String::from).into(),
                automatic_return: true,
            },
        };
        let refunds = Refunds {
            payments: live(&wire),
            keys: keys(),
            gate: HttpGate::new(gate.address())?,
        };
        Ok(Self {
            checkouts,
            refunds,
            callbacks: Callbacks::new(live(&wire), keys()),
            gate,
            wire,
        })
    }

    /// Calls the function of a route.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn call(&self, call: Call<'_>) -> anyhow::Result<Answer> {
        let request = lambda_http::request::from_str(&event(&call).to_string())?;
        let answer = match call.route {
            // Apart, as a test has many calls and a thread's stack has 2 MB.
            "POST /callbacks" => Box::pin(self.callbacks.handle(request)).await,
            route if route.contains("/refunds") => Box::pin(self.refunds.handle(request)).await,
            _ => Box::pin(self.checkouts.handle(request)).await,
        };
        let answer: Response<String> = answer.map_err(|error| anyhow!("{error}"))?;
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

    /// `POST /checkouts` by the shop.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn checkout(&self, order: &Value) -> anyhow::Result<Answer> {
        self.call(Call {
            route: "POST /checkouts",
            key: SHOP,
            body: order.to_string(),
            ..Call::default()
        })
        .await
    }

    /// `GET /payments/{payment_id}` by the shop.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn payment(&self, payment_id: &str) -> anyhow::Result<Answer> {
        self.call(Call {
            route: "GET /payments/{payment_id}",
            parameters: &[payment_id],
            key: SHOP,
            ..Call::default()
        })
        .await
    }

    /// `POST /payments/{payment_id}/refunds` by the shop.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn refund(&self, payment_id: &str, refund: &Value) -> anyhow::Result<Answer> {
        self.call(Call {
            route: "POST /payments/{payment_id}/refunds",
            parameters: &[payment_id],
            key: SHOP,
            body: refund.to_string(),
            ..Call::default()
        })
        .await
    }

    /// The platform reports something: a file of `tests/data/callbacks`, or of a folder beside it.
    ///
    /// # Errors
    ///
    /// When it is not taken.
    pub async fn report(&self, file: &str) -> anyhow::Result<()> {
        let body = std::fs::read_to_string(snapshot::data().join("callbacks").join(file))?;
        let answer = self.call(Call {
            route: "POST /callbacks",
            body,
            ..Call::default()
        });
        let status = answer.await?.status;
        anyhow::ensure!(status == 200, "{file} was answered {status}");
        Ok(())
    }

    /// Whether anything was written since [`Wire::forget`].
    pub fn has_written(&self) -> bool {
        let calls = self.wire.calls();
        calls
            .iter()
            .any(|call| !matches!(call.as_str(), "GetItem" | "Query" | "GetSecretValue"))
    }
}

/// An order of 10.00 EUR.
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

fn live(wire: &Wire) -> LivePayments {
    let queue = QueueConfig {
        url: "https://queues.example/audit".into(),
        types: None,
    };
    Payments {
        store: DynamoStore::new(wire.config(), TABLE),
        queues: SqsQueue::all(wire.config(), vec![queue]),
        clock: SystemClock,
        schedule: Schedule::default(),
    }
}

/// The gateway's event, payload format 2.0.
fn event(call: &Call<'_>) -> Value {
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
            "domainName": "api.example", "domainPrefix": "api", "time": "", "timeEpoch": 0,
            "http": {
                "method": method, "path": "/", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test",
            },
        },
        "body": call.body,
        "isBase64Encoded": false,
    })
}
