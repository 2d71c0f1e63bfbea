//! The simulated platform, as whoever sets its switches and reads its books.

use anyhow::ensure;
use reqwest::Client;
use sandbox::Ready;
use serde_json::{Value, json};

/// The control side of the simulated platform.
#[derive(Debug, Clone)]
pub struct Simulator {
    http: Client,
    payments: String,
    links: String,
}

impl Simulator {
    /// The one of a running sandbox.
    ///
    /// # Errors
    ///
    /// When the HTTP client cannot be set up.
    pub fn new(ready: &Ready) -> anyhow::Result<Self> {
        Ok(Self {
            http: Client::builder().no_proxy().build()?,
            payments: format!("{}/simulator/payments", ready.platform),
            links: format!("{}/simulator/links", ready.platform),
        })
    }

    /// Sets the switches of a payment, which need not exist yet; `{}` ends them.
    ///
    /// # Errors
    ///
    /// When the simulator does not know such switches.
    pub async fn fault(&self, payment_id: &str, faults: Value) -> anyhow::Result<()> {
        let url = format!("{}/{payment_id}/faults", self.payments);
        let answer = self.http.put(url).json(&faults).send().await?;
        let status = answer.status();
        ensure!(status.is_success(), "{faults} was answered {status}");
        Ok(())
    }

    /// Lets the platform send no callbacks about a payment.
    ///
    /// # Errors
    ///
    /// When the simulator does not answer.
    pub async fn keep_quiet_about(&self, payment_id: &str) -> anyhow::Result<()> {
        self.fault(payment_id, json!({ "drop": true })).await
    }

    /// What the platform's books have of a payment.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn books(&self, payment_id: &str) -> anyhow::Result<Value> {
        let url = format!("{}/{payment_id}", self.payments);
        Ok(self.http.get(url).send().await?.json().await?)
    }

    /// How many requests of a kind the platform got for a payment.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn requests(&self, payment_id: &str, kind: &str) -> anyhow::Result<Value> {
        let books = self.books(payment_id).await?;
        let requests = books.get("requests").and_then(|kinds| kinds.get(kind));
        Ok(requests.cloned().unwrap_or_default())
    }

    /// Somebody gives money back in the platform's own Dashboard.
    ///
    /// # Errors
    ///
    /// When the platform refuses it.
    pub async fn refund(&self, payment_id: &str, refund: Value) -> anyhow::Result<()> {
        self.act(payment_id, "refunds", refund).await?;
        Ok(())
    }

    /// The bank or the platform takes a successful refund back: all that is left of it, or an
    /// `amount`.
    ///
    /// # Errors
    ///
    /// When there is no such refund.
    pub async fn reverse_refund(
        &self,
        payment_id: &str,
        operation_id: &str,
        body: Value,
    ) -> anyhow::Result<Value> {
        let path = format!("refunds/{operation_id}/reverse");
        self.act(payment_id, &path, body).await
    }

    /// Ends the confirmation procedure: `credit`, `decline` or `decline_and_reverse`.
    ///
    /// # Errors
    ///
    /// When the payment waits for no confirmation.
    pub async fn confirm(&self, payment_id: &str, result: &str) -> anyhow::Result<Value> {
        let body = json!({ "result": result });
        self.act(payment_id, "confirmation", body).await
    }

    /// Support settles a payment that is held.
    ///
    /// # Errors
    ///
    /// When it is not held.
    pub async fn change_manually(&self, payment_id: &str, body: Value) -> anyhow::Result<Value> {
        self.act(payment_id, "manual-change", body).await
    }

    /// A further sale in the same payment.
    ///
    /// # Errors
    ///
    /// When the payment does not allow it.
    pub async fn sell_again(&self, payment_id: &str, body: Value) -> anyhow::Result<Value> {
        self.act(payment_id, "sales", body).await
    }

    /// An operation of any other type.
    ///
    /// # Errors
    ///
    /// When the payment does not allow it.
    pub async fn operate(&self, payment_id: &str, body: Value) -> anyhow::Result<Value> {
        self.act(payment_id, "operations", body).await
    }

    /// A payment link made in the Dashboard; the answer has its `payment_id` and `url`.
    ///
    /// # Errors
    ///
    /// When the platform refuses it.
    pub async fn create_link(&self, link: Value) -> anyhow::Result<Value> {
        self.post(&self.links, link).await
    }

    /// Changes a link that no shopper has confirmed: `invoice sent`, `expired` or
    /// `invoice canceled`.
    ///
    /// # Errors
    ///
    /// When it is confirmed, or none.
    pub async fn change_link(&self, payment_id: &str, status: &str) -> anyhow::Result<Value> {
        let body = json!({ "status": status });
        self.act(payment_id, "link", body).await
    }

    /// Lets the platform, or its Dashboard, act on a payment.
    async fn act(&self, payment_id: &str, path: &str, body: Value) -> anyhow::Result<Value> {
        let url = format!("{}/{payment_id}/{path}", self.payments);
        self.post(&url, body).await
    }

    async fn post(&self, url: &str, body: Value) -> anyhow::Result<Value> {
        let answer = self.http.post(url).json(&body).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{url} was answered {status}: {text}");
        Ok(serde_json::from_str(&text)?)
    }
}
