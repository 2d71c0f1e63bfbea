//! Starts the system under test, and reads and changes its state.

use std::sync::LazyLock;
use std::time::Duration;

use anyhow::ensure;
use ecommpay::{ProjectKey, signature};
use payments::Timestamp;
use reqwest::StatusCode;
use sandbox::{Options, Ready, Sandbox};
use serde_json::{Value, json};

use crate::lambda::{invoke, invoke_with};
use crate::queue::Queue;
use crate::shopper::Shopper;
use crate::simulator::Simulator;
use crate::storefront::Storefront;
use crate::{logs, until_matching};

/// After this time, the sweeper publishes an event that is still unpublished. In a sandbox, `OutboxGraceSeconds` is 2.
pub const OUTBOX_GRACE: Duration = Duration::from_millis(2_500);

/// A running sandbox with a storefront, a shopper and the simulated platform.
pub struct System {
    /// The sandbox.
    pub sandbox: Sandbox,
    /// A storefront whose key has all scopes.
    pub storefront: Storefront,
    /// The control API of the platform.
    pub simulator: Simulator,
    /// A shopper's browser.
    pub shopper: Shopper,
}

impl System {
    /// Starts a sandbox.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let sandbox = Sandbox::start(options).await?;
        // The first run adds the project to the list in the table, from which the daily runs take the projects.
        invoke(&sandbox, "sweeper").await?;
        Ok(Self {
            storefront: Storefront::new(sandbox.ready())?,
            simulator: Simulator::new(sandbox.ready())?,
            shopper: Shopper::new()?,
            sandbox,
        })
    }

    /// Stops the sandbox, and waits for its end.
    pub async fn stop(self) {
        self.sandbox.stop().await;
    }

    /// Returns the addresses and names of the sandbox.
    pub fn ready(&self) -> &Ready {
        self.sandbox.ready()
    }

    /// Returns a queue of events, such as `audit`.
    pub fn queue(&self, name: &str) -> anyhow::Result<Queue> {
        Queue::new(self.ready(), name)
    }

    /// Returns all log lines of the functions.
    pub async fn log(&self) -> anyhow::Result<String> {
        logs::of_functions(&self.sandbox).await
    }

    /// Creates a payment of 10.00 EUR. Returns the URL of its bank page.
    pub async fn bank_page(&self, payment_id: &str) -> anyhow::Result<String> {
        let checkout = self.storefront.create(payment_id).await?;
        self.shopper.bank_page(&checkout).await
    }

    /// Creates a payment of 10.00 EUR for an order. Returns the URL of its bank page.
    pub async fn bank_page_for_order(
        &self,
        payment_id: &str,
        order_id: &str,
    ) -> anyhow::Result<String> {
        let order = json!({ "order_id": order_id });
        let checkout = self.storefront.create_with(payment_id, order).await?;
        self.shopper.bank_page(&checkout).await
    }

    /// Creates and pays a payment of 10.00 EUR, and waits until it has succeeded.
    pub async fn create_paid(&self, payment_id: &str) -> anyhow::Result<()> {
        let checkout = self.storefront.create(payment_id).await?;
        self.pay(&checkout).await?;
        Ok(())
    }

    /// Pays a checkout, and waits until its payment has succeeded.
    pub async fn pay(&self, checkout: &Value) -> anyhow::Result<Value> {
        self.shopper.pay(checkout).await?;
        let payment_id = checkout["payment_id"].as_str().unwrap_or_default();
        self.storefront.until(payment_id, "succeeded").await
    }

    /// Posts a callback, and returns the status of the answer.
    pub async fn post_callback(&self, body: impl Into<Vec<u8>>) -> anyhow::Result<StatusCode> {
        self.post_callback_as("application/json", body).await
    }

    /// Posts a callback with this content type, and returns the status of the answer.
    pub async fn post_callback_as(
        &self,
        content_type: &str,
        body: impl Into<Vec<u8>>,
    ) -> anyhow::Result<StatusCode> {
        let url = format!("{}/callbacks", self.ready().api);
        let request = self.shopper.http.post(url).body(body.into());
        let response = request.header("Content-Type", content_type).send().await?;
        let status = response.status();
        let answer = response.text().await?;
        ensure!(
            answer.is_empty(),
            "the answer to a callback has the body {answer}"
        );
        Ok(status)
    }

    /// Returns a callback with a signature of the project's key.
    pub fn signed(&self, message: &Value) -> anyhow::Result<String> {
        let key = ProjectKey::new(&self.ready().project_key)?;
        let signature = key.sign(&signature::canonical_of(message)?);
        let mut signed = message.clone();
        signed["signature"] = signature.to_base64().into();
        Ok(signed.to_string())
    }

    /// Signs and posts a callback, and checks the status of the answer.
    pub async fn post_signed(&self, message: &Value, expected: u16) -> anyhow::Result<()> {
        let status = self.post_callback(self.signed(message)?).await?;
        ensure!(
            status == expected,
            "{status} instead of {expected}: {message}"
        );
        Ok(())
    }

    /// Sends a sale to Gate, as another system of the project could.
    pub async fn send_external_sale(&self, payment_id: &str, amount: u64) -> anyhow::Result<()> {
        let ready = self.ready();
        let mut sale = json!({
            "general": { "project_id": ready.project_id, "payment_id": payment_id },
            "payment": { "amount": amount, "currency": "EUR" },
            "customer": { "id": "c", "ip_address": "192.0.2.1", "last_name": "Peeters" },
            "return_url": { "return": "https://shop.example/return" },
        });
        let key = ProjectKey::new(&ready.project_key)?;
        let signed = key.sign(&signature::canonical_of(&sale)?);
        sale["general"]["signature"] = signed.to_base64().into();
        let url = format!("{}/v2/payment/bancontact/sale", ready.platform);
        let answer = self.shopper.http.post(url).json(&sale).send().await?;
        ensure!(answer.status() == 200, "{}", answer.text().await?);
        Ok(())
    }

    /// Invokes the sweeper, and returns its answer.
    pub async fn sweep(&self) -> anyhow::Result<Value> {
        invoke(&self.sandbox, "sweeper").await
    }

    /// Invokes the sweeper until `matches` accepts its answer. `what` names the awaited result in the error.
    pub async fn sweep_until(
        &self,
        what: &str,
        matches: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        until_matching(what, async || self.sweep().await, matches).await
    }

    /// Invokes the sweeper until `matches` accepts a payment.
    pub async fn sweep_until_payment(
        &self,
        payment_id: &str,
        matches: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let what = format!("the change of {payment_id}");
        let read = async || {
            self.sweep().await?;
            self.storefront.payment(payment_id).await
        };
        until_matching(&what, read, matches).await
    }

    /// Compares our payments with the platform's records, from `from` until now.
    pub async fn reconcile(&self, from: Timestamp) -> anyhow::Result<Value> {
        let (project_id, to) = (self.ready().project_id, Timestamp::now());
        let range = json!({ "project_id": project_id, "from": from, "to": to });
        invoke_with(&self.sandbox, "reconcile", &range).await
    }

    /// Starts the daily runs and waits until they end. Returns the answer that lists the runs.
    pub async fn run_daily(&self) -> anyhow::Result<Value> {
        let started = invoke(&self.sandbox, "reconcile").await?;
        for run in started["runs"].as_array().into_iter().flatten() {
            let read =
                async || invoke_with(&self.sandbox, "reconcile", &json!({ "run": run })).await;
            let has_ended = |state: &Value| state["has_ended"] == true;
            until_matching("the end of a daily run", read, has_ended).await?;
        }
        Ok(started)
    }
}

/// Returns options with these template parameters.
pub fn with_parameters<const N: usize>(parameters: [(&str, &str); N]) -> Options {
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Options {
        parameters: parameters.into(),
        ..Options::any_ports()
    }
}

/// Returns options that divide all delays by 3,600. With these options, the sweeper polls an open payment within
/// seconds.
pub fn accelerated() -> Options {
    Options {
        divide_times: 3_600,
        ..Options::any_ports()
    }
}

/// Returns an unsigned callback about a successful operation. `status` is the `payment.status`, and `amount` is in
/// cents.
pub fn callback_message(payment: &str, id: u64, kind: &str, status: &str, amount: u64) -> Value {
    let sum = json!({ "amount": amount, "currency": "EUR" });
    // The date is in the future, because a sale that is older than its checkout counts as a sale of another system. The
    // date is computed once, so that a repeated message is equal.
    static DATE: LazyLock<String> = LazyLock::new(|| {
        let tomorrow = Timestamp::now().after(Duration::from_secs(24 * 3600));
        tomorrow.to_platform()
    });
    let date = DATE.as_str();
    json!({
        "project_id": 211,
        "payment": {
            "id": payment, "type": "purchase", "status": status,
            "date": date, "method": "bancontact", "sum": sum,
        },
        "operation": {
            "id": id, "type": kind, "status": "success", "date": date,
            "request_id": format!("request-{id}"), "sum_initial": sum, "sum_converted": sum,
            "code": "0", "message": "Success",
        },
    })
}
