//! A storefront's back end.

use anyhow::{Context, ensure};
use reqwest::{Method, StatusCode};
use sandbox::Ready;
use serde_json::{Value, json};

use crate::eventually;

/// A storefront with the sandbox's key.
#[derive(Debug, Clone)]
pub struct Storefront {
    http: reqwest::Client,
    api: String,
    key: String,
    return_url: String,
}

impl Storefront {
    /// The storefront of a sandbox.
    ///
    /// # Errors
    ///
    /// When the HTTP client cannot be set up.
    pub fn new(ready: &Ready) -> anyhow::Result<Self> {
        Ok(Self {
            http: reqwest::Client::builder().no_proxy().build()?,
            api: ready.api.clone(),
            key: ready.storefront_key.clone(),
            return_url: format!("{}/thanks", ready.shop),
        })
    }

    /// The same storefront with another key.
    pub fn with_key(&self, key: &str) -> Self {
        Self {
            key: key.to_owned(),
            ..self.clone()
        }
    }

    /// Any call, with the key; gives the status and the JSON of the answer.
    ///
    /// # Errors
    ///
    /// When there is no answer, or it is not JSON.
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

    /// What an order of 10.00 EUR looks like.
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

    /// Creates a checkout and gives its answer.
    ///
    /// # Errors
    ///
    /// When it is not answered 201.
    pub async fn create(&self, payment_id: &str) -> anyhow::Result<Value> {
        let order = self.order(payment_id);
        let (status, checkout) = self.call(Method::POST, "/checkouts", Some(&order)).await?;
        ensure!(
            status == StatusCode::CREATED,
            "POST /checkouts answered {status}: {checkout}"
        );
        Ok(checkout)
    }

    /// The payment as the API shows it.
    ///
    /// # Errors
    ///
    /// When it is not answered 200.
    pub async fn payment(&self, payment_id: &str) -> anyhow::Result<Value> {
        let path = format!("/payments/{payment_id}");
        let (status, payment) = self.call(Method::GET, &path, None).await?;
        ensure!(
            status == StatusCode::OK,
            "GET {path} answered {status}: {payment}"
        );
        Ok(payment)
    }

    /// Waits until the payment has a status.
    ///
    /// # Errors
    ///
    /// When it does not reach it in time.
    pub async fn until(&self, payment_id: &str, status: &str) -> anyhow::Result<Value> {
        let what = format!("{payment_id} becoming {status}");
        eventually(&what, || async {
            let payment = self.payment(payment_id).await?;
            Ok((payment.get("status") == Some(&json!(status))).then_some(payment))
        })
        .await
    }

    /// Asks for a refund and gives the status and the answer.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn refund(
        &self,
        payment_id: &str,
        refund: &Value,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let path = format!("/payments/{payment_id}/refunds");
        self.call(Method::POST, &path, Some(refund)).await
    }
}
