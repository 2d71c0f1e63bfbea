//! Calls the control API of the simulated platform. A *switch* of this API simulates a fault.

use anyhow::{Context, ensure};
use reqwest::Client;
use sandbox::Ready;
use serde_json::{Value, json};

use crate::until_matching;

/// A client of the control API.
#[derive(Debug, Clone)]
pub struct Simulator {
    http: Client,
    payments: String,
}

impl Simulator {
    /// Returns a client for the sandbox's platform.
    pub fn new(ready: &Ready) -> anyhow::Result<Self> {
        Ok(Self {
            http: Client::builder().no_proxy().build()?,
            payments: format!("{}/simulator/payments", ready.platform),
        })
    }

    /// Sets the switches of a payment. The payment need not exist yet. `{}` turns all switches off.
    pub async fn set_faults(&self, payment_id: &str, faults: Value) -> anyhow::Result<()> {
        let url = format!("{}/{payment_id}/faults", self.payments);
        let answer = self.http.put(url).json(&faults).send().await?;
        let status = answer.status();
        ensure!(status.is_success(), "{faults} was answered {status}");
        Ok(())
    }

    /// Lets the platform drop all callbacks about a payment.
    pub async fn drop_callbacks(&self, payment_id: &str) -> anyhow::Result<()> {
        self.set_faults(payment_id, json!({ "drop": true })).await
    }

    /// Returns the platform's record of a payment.
    pub async fn records(&self, payment_id: &str) -> anyhow::Result<Value> {
        let url = format!("{}/{payment_id}", self.payments);
        Ok(self.http.get(url).send().await?.json().await?)
    }

    /// Waits until `matches` accepts the platform's record of a payment.
    pub async fn until_records(
        &self,
        payment_id: &str,
        matches: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let what = format!("the change of the platform's records of {payment_id}");
        until_matching(&what, async || self.records(payment_id).await, matches).await
    }

    /// Waits until the shopper can pay at the bank. Returns the URL of the bank page.
    pub async fn bank_page(&self, payment_id: &str) -> anyhow::Result<String> {
        let is_waiting = |records: &Value| records["status"] == "awaiting redirect result";
        let records = self.until_records(payment_id, is_waiting).await?;
        let page = records["bank_page"]
            .as_str()
            .context("The platform's records have no bank page")?;
        Ok(page.to_owned())
    }

    /// Returns how many requests of a kind the platform received for a payment.
    pub async fn request_count(&self, payment_id: &str, kind: &str) -> anyhow::Result<Value> {
        Ok(self.records(payment_id).await?["requests"][kind].take())
    }

    /// Refunds a payment in the platform's Dashboard.
    pub async fn refund(&self, payment_id: &str, refund: Value) -> anyhow::Result<()> {
        self.act(payment_id, "refunds", &refund).await
    }

    /// Lets the platform reverse a successful refund. `refund` is an entry of `refunds` in our API's payment.
    pub async fn reverse_refund(&self, payment_id: &str, refund: &Value) -> anyhow::Result<()> {
        let operation = refund["operation_id"]
            .as_str()
            .context("The refund has no operation")?;
        let path = format!("refunds/{operation}/reverse");
        self.act(payment_id, &path, &json!({})).await
    }

    /// Ends the confirmation procedure with `credit`, `decline` or `decline_and_reverse`.
    pub async fn confirm(&self, payment_id: &str, result: &str) -> anyhow::Result<()> {
        let body = json!({ "result": result });
        self.act(payment_id, "confirmation", &body).await
    }

    async fn act(&self, payment_id: &str, path: &str, body: &Value) -> anyhow::Result<()> {
        let url = format!("{}/{payment_id}/{path}", self.payments);
        let answer = self.http.post(&url).json(body).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{url} was answered {status}: {text}");
        Ok(())
    }
}
