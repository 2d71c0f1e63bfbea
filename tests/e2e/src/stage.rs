//! A sandbox with everybody who plays a part in a payment.

use anyhow::{Context, ensure};
use ecommpay::json::{self, Limits};
use ecommpay::{ProjectKey, signature};
use reqwest::{Client, Method, StatusCode};
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};

use crate::eventually;
use crate::operator::invoke;
use crate::shopper::Shopper;
use crate::simulator::Simulator;
use crate::storefront::Storefront;

/// A running sandbox, a storefront, its shopper and the platform.
pub struct Stage {
    /// The sandbox.
    pub sandbox: Sandbox,
    /// A storefront with all scopes.
    pub storefront: Storefront,
    /// The platform, as its control side shows it.
    pub simulator: Simulator,
    /// A shopper's browser.
    pub shopper: Shopper,
    http: Client,
}

impl Stage {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// When the sandbox cannot be started.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let sandbox = Sandbox::start(options).await?;
        Ok(Self {
            storefront: Storefront::new(sandbox.ready())?,
            simulator: Simulator::new(sandbox.ready())?,
            shopper: Shopper::new()?,
            http: Client::builder().no_proxy().build()?,
            sandbox,
        })
    }

    /// Creates a payment of 10.00 EUR whose shopper is led to the bank; gives the bank's address.
    ///
    /// # Errors
    ///
    /// When it does not come so far.
    pub async fn at_bank(&self, payment_id: &str) -> anyhow::Result<String> {
        let order = self.storefront.order(payment_id);
        self.lead_to_bank(&order).await
    }

    /// As [`Self::at_bank`], for a certain order of the merchant.
    ///
    /// # Errors
    ///
    /// When it does not come so far.
    pub async fn at_bank_for(&self, payment_id: &str, order_id: &str) -> anyhow::Result<String> {
        let mut order = self.storefront.order(payment_id);
        if let Some(order) = order.as_object_mut() {
            order.insert("order_id".to_owned(), order_id.into());
        }
        self.lead_to_bank(&order).await
    }

    async fn lead_to_bank(&self, order: &Value) -> anyhow::Result<String> {
        let created = self
            .storefront
            .call(Method::POST, "/checkouts", Some(order));
        let (status, checkout) = created.await?;
        ensure!(status == StatusCode::CREATED, "{status}: {checkout}");
        let address = checkout.get("checkout_url").and_then(Value::as_str);
        self.shopper.bank_of(address.context("no address")?).await
    }

    /// Creates a payment of 10.00 EUR and waits until it is paid.
    ///
    /// # Errors
    ///
    /// When it does not come so far.
    pub async fn paid(&self, payment_id: &str) -> anyhow::Result<()> {
        let bank = self.at_bank(payment_id).await?;
        self.shopper.push(&bank, "pay").await?;
        self.storefront.until(payment_id, "succeeded").await?;
        Ok(())
    }

    /// Posts what claims to be a callback; gives the answer's status.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn callback(&self, body: impl Into<Vec<u8>>) -> anyhow::Result<StatusCode> {
        let url = format!("{}/callbacks", self.sandbox.ready().api);
        let response = self.http.post(url).body(body.into()).send().await?;
        Ok(response.status())
    }

    /// A callback with the project's signature.
    ///
    /// # Errors
    ///
    /// When it cannot be signed.
    pub fn signed(&self, message: &Value) -> anyhow::Result<String> {
        let key = ProjectKey::new(&self.sandbox.ready().project_key)?;
        let text = message.to_string();
        let parsed = json::parse(text.as_bytes(), Limits::CALLBACK)?;
        let mut signed = message.clone();
        if let Some(signed) = signed.as_object_mut() {
            let signature = key.sign(&signature::canonical(&parsed)).to_base64();
            signed.insert("signature".to_owned(), json!(signature));
        }
        Ok(signed.to_string())
    }

    /// Posts a callback with the project's signature.
    ///
    /// # Errors
    ///
    /// When the answer has another status.
    pub async fn report(&self, message: &Value, expected: StatusCode) -> anyhow::Result<()> {
        let status = self.callback(self.signed(message)?).await?;
        ensure!(
            status == expected,
            "{status} instead of {expected}: {message}"
        );
        Ok(())
    }

    /// Lets the sweeper tick.
    ///
    /// # Errors
    ///
    /// When it fails.
    pub async fn sweep(&self) -> anyhow::Result<Value> {
        invoke(&self.sandbox, "sweeper").await
    }

    /// Lets the sweeper tick until its answer is as it should be.
    ///
    /// # Errors
    ///
    /// When it is not in time.
    pub async fn sweep_until(
        &self,
        what: &str,
        is_there: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        eventually(what, || async {
            let swept = self.sweep().await?;
            Ok(is_there(&swept).then_some(swept))
        })
        .await
    }
}

/// What the platform reports of a payment by its operation.
pub fn report_of(payment: &str, id: u64, kind: &str, status: &str, amount: u64) -> Value {
    let sum = json!({ "amount": amount, "currency": "EUR" });
    json!({
        "project_id": 211,
        "payment": {
            "id": payment, "type": "purchase", "status": status,
            "date": "2026-01-01T10:00:00+0000", "method": "bancontact", "sum": sum,
        },
        "operation": {
            "id": id, "type": kind, "status": "success", "date": "2026-01-01T10:00:00+0000",
            "request_id": format!("request-{id}"), "sum_initial": sum, "sum_converted": sum,
            "code": "0", "message": "Success",
        },
    })
}
