//! Simulates the back end of a storefront.

use anyhow::{Context, ensure};
use aws::dynamodb::DynamoStore;
use ecommpay::fields::ProjectId;
use payments::model::path_id::to_path;
use payments::model::storefront::{self as model, Scope};
use payments::{Timestamp, sha256};
use reqwest::{Client, Method, StatusCode};
use sandbox::Ready;
use serde_json::{Value, json};

use crate::{account, until_matching};

/// A storefront and its key.
#[derive(Debug, Clone)]
pub struct Storefront {
    http: Client,
    api: String,
    key: String,
    return_url: String,
}

impl Storefront {
    /// Returns the sandbox's storefront, whose key has all scopes.
    pub fn new(ready: &Ready) -> anyhow::Result<Self> {
        Ok(Self {
            http: Client::builder().no_proxy().build()?,
            api: ready.api.clone(),
            key: ready.storefront_key.clone(),
            return_url: format!("{}/thanks", ready.shop),
        })
    }

    /// Adds another storefront. Its endpoints get only the events of its payments.
    pub async fn add(ready: &Ready, name: &str) -> anyhow::Result<Self> {
        let key = format!("sk_{name}_secret-of-a-test");
        let storefront = model::Storefront {
            key_id: name.to_owned(),
            key_hash: sha256::hex(key.as_bytes()),
            name: name.to_owned(),
            project_id: ProjectId::new(ready.project_id.into())?,
            scopes: [Scope::Checkout, Scope::Read].into(),
            return_origins: [ready.shop.clone()].into(),
            payment_id_prefix: None,
        };
        let store = DynamoStore::new(&account(ready), ready.table.clone());
        let keys = store.storefront_keys(ready.storefront_keys_table.clone());
        let added = keys.add(&storefront, Timestamp::now()).await?;
        ensure!(added, "there is a storefront {name}");
        Ok(Self::new(ready)?.with_key(&key))
    }

    /// Returns the same storefront with another key.
    pub fn with_key(&self, key: &str) -> Self {
        Self {
            key: key.to_owned(),
            ..self.clone()
        }
    }

    /// Calls the API. Returns the status and the JSON of the answer.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.api))
            .bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.context("The API does not answer")?;
        let status = response.status();
        let text = response.text().await?;
        let json = serde_json::from_str(&text)
            .with_context(|| format!("{path} answered {status}: {text}"))?;
        Ok((status, json))
    }

    /// Sends a GET request, and checks the status.
    pub async fn get(&self, path: &str, expected: u16) -> anyhow::Result<Value> {
        let (status, answer) = self.call(Method::GET, path, None).await?;
        ensure!(status == expected, "GET {path} answered {status}: {answer}");
        Ok(answer)
    }

    /// Sends a POST request, and checks the status.
    pub async fn post(&self, path: &str, body: &Value, expected: u16) -> anyhow::Result<Value> {
        let (status, answer) = self.call(Method::POST, path, Some(body)).await?;
        ensure!(
            status == expected,
            "POST {path} with {body} answered {status} instead of {expected}: {answer}"
        );
        Ok(answer)
    }

    /// Returns a checkout request for 10.00 EUR.
    pub fn order(&self, payment_id: &str) -> Value {
        json!({
            "payment_id": payment_id,
            "order_id": format!("order-of-{payment_id}"),
            "amount": 1000,
            "currency": "EUR",
            "customer": { "id": "c-42", "ip_address": "192.0.2.10", "last_name": "Janssens" },
            "return_url": self.return_url,
        })
    }

    /// Returns a checkout request for 10.00 EUR, in which `fields` are replaced or added.
    pub fn order_with(&self, payment_id: &str, fields: Value) -> Value {
        let mut order = self.order(payment_id);
        if let (Some(order), Value::Object(fields)) = (order.as_object_mut(), fields) {
            order.extend(fields);
        }
        order
    }

    /// Creates a checkout for 10.00 EUR.
    pub async fn create(&self, payment_id: &str) -> anyhow::Result<Value> {
        self.create_with(payment_id, json!({})).await
    }

    /// Creates a checkout with the request of [`Self::order_with`].
    pub async fn create_with(&self, payment_id: &str, fields: Value) -> anyhow::Result<Value> {
        let order = self.order_with(payment_id, fields);
        self.post("/checkouts", &order, 201).await
    }

    /// Returns the payment that the API shows.
    pub async fn payment(&self, payment_id: &str) -> anyhow::Result<Value> {
        self.get(&format!("/payments/{}", to_path(payment_id)), 200)
            .await
    }

    /// Waits until a payment has a status.
    pub async fn until(&self, payment_id: &str, status: &str) -> anyhow::Result<Value> {
        self.until_matching(payment_id, |payment| payment["status"] == status)
            .await
            .with_context(|| format!("expected the status {status}"))
    }

    /// Waits until `matches` accepts a payment.
    pub async fn until_matching(
        &self,
        payment_id: &str,
        matches: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let what = format!("the change of {payment_id}");
        until_matching(&what, async || self.payment(payment_id).await, matches).await
    }

    /// Requests a refund. Returns the status and the answer.
    pub async fn refund(
        &self,
        payment_id: &str,
        refund: &Value,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let path = refunds_path(payment_id);
        self.call(Method::POST, &path, Some(refund)).await
    }

    /// Requests a refund, and checks the status.
    pub async fn post_refund(
        &self,
        payment_id: &str,
        refund: &Value,
        expected: u16,
    ) -> anyhow::Result<Value> {
        self.post(&refunds_path(payment_id), refund, expected).await
    }
}

fn refunds_path(payment_id: &str) -> String {
    format!("/payments/{}/refunds", to_path(payment_id))
}

/// Returns a refund request. `amount` is in cents.
pub fn partial_refund(refund_id: &str, amount: u64) -> Value {
    json!({ "refund_id": refund_id, "amount": amount, "currency": "EUR", "description": "returned" })
}

/// Returns a request for a refund of the remaining amount.
pub fn full_refund(refund_id: &str) -> Value {
    json!({ "refund_id": refund_id, "description": "returned" })
}

/// Returns the checkout URL in the answer to a checkout request.
pub fn checkout_url(checkout: &Value) -> anyhow::Result<&str> {
    let url = checkout["checkout_url"].as_str();
    url.with_context(|| format!("no checkout URL in {checkout}"))
}

/// Returns the pointers in the `errors` of a problem document.
pub fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().into_iter().flatten();
    errors
        .filter_map(|error| error["pointer"].as_str())
        .collect()
}
