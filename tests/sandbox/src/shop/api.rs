//! Makes the shop's calls to the payment API.

use anyhow::{Context, anyhow, bail};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use url::Url;

use super::choice::Choice;

pub struct Api {
    http: reqwest::Client,
    base_url: String,
    storefront_key: String,
}

#[derive(Debug, Deserialize)]
pub struct Checkout {
    pub checkout_url: String,
    pub status: String,
}

/// The fields that the shop shows. Amounts are in cents.
#[derive(Debug, Deserialize)]
pub struct PaymentStatus {
    pub payment_id: String,
    pub status: String,
    pub paid_amount: u64,
    pub refunded_amount: u64,
    pub pending_refund_amount: u64,
    pub refundable_amount: u64,
}

impl PaymentStatus {
    pub fn is_paid(&self) -> bool {
        matches!(
            self.status.as_str(),
            "succeeded" | "partially_refunded" | "refunded"
        )
    }

    pub fn is_refunded(&self) -> bool {
        self.status == "refunded"
    }

    /// Whether the shop expects no change: the payment ended without money, or is paid and has no pending refund.
    pub fn is_settled(&self) -> bool {
        self.is_lost() || (self.is_paid() && self.pending_refund_amount == 0)
    }

    /// Whether the payment ended without money.
    pub fn is_lost(&self) -> bool {
        matches!(self.status.as_str(), "declined" | "failed")
    }
}

impl Api {
    pub fn new(base_url: &str, storefront_key: &str) -> anyhow::Result<Self> {
        Ok(Self {
            http: reqwest::Client::builder()
                .no_proxy()
                .timeout(std::time::Duration::from_secs(30))
                .build()
                .context("The shop's HTTP client cannot be created")?,
            base_url: base_url.to_owned(),
            storefront_key: storefront_key.to_owned(),
        })
    }

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
        let url = format!("{}/checkouts", self.base_url);
        let response = self.send(self.http.post(url).json(&order)).await?;
        read(accepted(response).await?).await
    }

    /// Refunds the remaining amount. A repeated call refunds nothing, because it sends the same refund id.
    pub async fn refund(&self, payment_id: &str) -> anyhow::Result<()> {
        let wanted = json!({ "refund_id": payment_id, "description": "Sent back" });
        let url = self.url(&["payments", payment_id, "refunds"])?;
        let response = self.send(self.http.post(url).json(&wanted)).await?;
        accepted(response).await?;
        Ok(())
    }

    /// Returns `None` if the payment does not exist.
    pub async fn payment(&self, payment_id: &str) -> anyhow::Result<Option<PaymentStatus>> {
        let url = self.url(&["payments", payment_id])?;
        let response = self.send(self.http.get(url)).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        read(accepted(response).await?).await.map(Some)
    }

    fn url(&self, path: &[&str]) -> anyhow::Result<Url> {
        let mut url = Url::parse(&self.base_url)?;
        url.path_segments_mut()
            .map_err(|()| anyhow!("The URL of the payment service has no path"))?
            .extend(path);
        Ok(url)
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let request = request.bearer_auth(&self.storefront_key);
        let response = request.send().await;
        response.context("The payment service does not answer")
    }
}

/// Returns an error unless the status is a success.
async fn accepted(response: Response) -> anyhow::Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = response.text().await.unwrap_or_default();
    bail!("The payment service answered {status}: {body}")
}

async fn read<T: DeserializeOwned>(response: Response) -> anyhow::Result<T> {
    let read = response.json().await;
    read.context("The answer of the payment service is invalid")
}
