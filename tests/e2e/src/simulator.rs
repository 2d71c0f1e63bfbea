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
        let url = format!("{}/{payment_id}/refunds", self.payments);
        let answer = self.http.post(url).json(&refund).send().await?;
        let status = answer.status();
        ensure!(status.is_success(), "{status}: {}", answer.text().await?);
        Ok(())
    }
}
