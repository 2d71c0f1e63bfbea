//! The shop's calls to the payment API, as any storefront would make them.

use anyhow::{Context, anyhow, bail};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use url::Url;

use super::Settings;
use super::choice::Choice;

/// A client of the payment API.
#[derive(Debug)]
pub struct Api {
    http: reqwest::Client,
    settings: Settings,
}

/// A checkout that was created.
#[derive(Debug, Deserialize)]
pub struct Checkout {
    /// Where the shopper's browser must go.
    pub checkout_url: String,
    /// The payment's status.
    pub status: String,
}

/// What the shop shows of a payment.
#[derive(Debug, Deserialize)]
pub struct PaymentStatus {
    /// Its id.
    pub payment_id: String,
    /// Its status.
    pub status: String,
    /// What was paid, in cents.
    pub paid_amount: u64,
    /// What went back, in cents.
    pub refunded_amount: u64,
    /// What is on its way back, in cents.
    pub pending_refund_amount: u64,
    /// What could go back, in cents.
    pub refundable_amount: u64,
}

impl PaymentStatus {
    /// Whether the money is there.
    pub fn is_paid(&self) -> bool {
        matches!(
            self.status.as_str(),
            "succeeded" | "partially_refunded" | "refunded"
        )
    }

    /// Whether all of the money went back.
    pub fn is_given_back(&self) -> bool {
        self.status == "refunded"
    }

    /// Whether nothing more happens by itself.
    pub fn is_settled(&self) -> bool {
        self.is_lost() || (self.is_paid() && self.pending_refund_amount == 0)
    }

    /// Whether it is certain that the money will not come.
    pub fn is_lost(&self) -> bool {
        matches!(self.status.as_str(), "declined" | "failed")
    }
}

impl Api {
    /// A client with the storefront's key.
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        Ok(Self {
            http: reqwest::Client::builder()
                .no_proxy()
                .timeout(std::time::Duration::from_secs(30))
                .build()
                .context("The shop has no HTTP client")?,
            settings: settings.clone(),
        })
    }

    /// Creates a checkout.
    pub async fn create_checkout(
        &self,
        payment_id: &str,
        choice: &Choice,
        return_url: &str,
    ) -> anyhow::Result<Checkout> {
        let order = json!({
            "payment_id": payment_id,
            "order_id": payment_id,
            "amount": choice.product.price,
            "currency": "EUR",
            "customer": {
                "id": "demo-customer",
                "ip_address": "192.0.2.10",
                "last_name": choice.last_name,
            },
            "return_url": return_url,
            "channel": choice.channel,
            "language": choice.language,
            "description": choice.product.name,
        });
        let address = format!("{}/checkouts", self.settings.api);
        let response = self.send(self.http.post(address).json(&order)).await?;
        read(taken(response).await?).await
    }

    /// Gives back what is left of a payment; once, however often it is asked for.
    pub async fn refund(&self, payment_id: &str) -> anyhow::Result<()> {
        let wanted = json!({ "refund_id": payment_id, "description": "Sent back" });
        let address = self.address(&["payments", payment_id, "refunds"])?;
        let response = self.send(self.http.post(address).json(&wanted)).await?;
        taken(response).await?;
        Ok(())
    }

    /// How a payment stands.
    pub async fn payment(&self, payment_id: &str) -> anyhow::Result<Option<PaymentStatus>> {
        let address = self.address(&["payments", payment_id])?;
        let response = self.send(self.http.get(address)).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        read(taken(response).await?).await.map(Some)
    }

    fn address(&self, path: &[&str]) -> anyhow::Result<Url> {
        let mut address = Url::parse(&self.settings.api)?;
        address
            .path_segments_mut()
            .map_err(|()| anyhow!("The address of the payment service has no path"))?
            .extend(path);
        Ok(address)
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let request = request.bearer_auth(&self.settings.storefront_key);
        let response = request.send().await;
        response.context("The payment service does not answer")
    }
}

/// An answer that is no refusal.
async fn taken(response: Response) -> anyhow::Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let said = response.text().await.unwrap_or_default();
    bail!("The payment service answered {status}: {said}")
}

async fn read<T: DeserializeOwned>(response: Response) -> anyhow::Result<T> {
    let read = response.json().await;
    read.context("The payment service's answer cannot be read")
}
