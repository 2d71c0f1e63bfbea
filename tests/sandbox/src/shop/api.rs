//! The shop's calls to the payment API, as any storefront would make them.

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::json;

use super::Settings;

/// A client of the payment API.
#[derive(Debug)]
pub struct Api {
    http: reqwest::Client,
    settings: Settings,
}

#[derive(Deserialize)]
struct Checkout {
    checkout_url: String,
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

    /// Creates a checkout and gives the address to which the shopper's browser must go.
    pub async fn create_checkout(
        &self,
        payment_id: &str,
        amount: u64,
        return_url: &str,
    ) -> anyhow::Result<String> {
        let order = json!({
            "payment_id": payment_id,
            "order_id": payment_id,
            "amount": amount,
            "currency": "EUR",
            "customer": { "id": "demo-customer", "ip_address": "192.0.2.10", "last_name": "Janssens" },
            "return_url": return_url,
            "language": "en",
            "description": "A cup of tea",
        });
        let response = self
            .http
            .post(format!("{}/checkouts", self.settings.api))
            .bearer_auth(&self.settings.storefront_key)
            .json(&order)
            .send()
            .await
            .context("The payment service does not answer")?;
        let status = response.status();
        if !status.is_success() {
            bail!(
                "The payment service answered {status}: {}",
                response.text().await.unwrap_or_default()
            );
        }
        let checkout: Checkout = response
            .json()
            .await
            .context("The payment service's answer cannot be read")?;
        Ok(checkout.checkout_url)
    }

    /// How a payment stands.
    pub async fn payment(&self, payment_id: &str) -> anyhow::Result<Option<PaymentStatus>> {
        let mut address = url::Url::parse(&self.settings.api)?;
        address
            .path_segments_mut()
            .map_err(|()| anyhow::anyhow!("The address of the payment service has no path"))?
            .extend(["payments", payment_id]);
        let response = self
            .http
            .get(address)
            .bearer_auth(&self.settings.storefront_key)
            .send()
            .await
            .context("The payment service does not answer")?;
        match response.status() {
            reqwest::StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => Ok(Some(
                response
                    .json()
                    .await
                    .context("The payment service's answer cannot be read")?,
            )),
            status => bail!("The payment service answered {status}"),
        }
    }
}
