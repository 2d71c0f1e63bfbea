//! Builds the clients and settings that the routes use.

use aws::config;
use aws::dynamodb::StorefrontKeys;
use aws::environment::{self, Environment, LivePayments};
use aws::gate_http::HttpGate;
use aws::prewarm;
use aws::secrets::{CachedProjectKeys, CachedTokenSecret};
use lambda_http::Error;
use payments::model::{CheckoutState, Payment};
use payments::ports::Clock;
use payments::service::checkout::payment_page::PaymentPageSettings;

/// Serves the routes of storefronts and shoppers.
pub struct Checkouts {
    /// The use cases of payments.
    pub payments: LivePayments,
    /// The storefront keys, which authorize the requests of storefronts. The role of `ShopperFunction` has no
    /// permission to read storefront keys.
    pub storefronts: StorefrontKeys,
    /// The project keys, which sign requests and verify status answers.
    pub keys: CachedProjectKeys,
    /// The client of the platform's Gate.
    pub gate: HttpGate,
    /// The secret from which checkout tokens are derived.
    pub tokens: CachedTokenSecret,
    /// The public address of this service, without a trailing slash.
    pub base_url: String,
    /// The address of Payment Page.
    pub page_url: String,
    /// The settings of the platform's Payment Page.
    pub page_settings: PaymentPageSettings,
    /// The number of wait slots of each of the two functions. Forms have additional slots, half as many
    /// (`wait_slot.rs`).
    pub wait_slots: u64,
}

impl Checkouts {
    /// Reads the environment variables that the template sets.
    pub fn from_environment() -> Result<Self, Error> {
        let environment = Environment::load()?;
        let payments = environment.payments()?;
        Ok(Self {
            storefronts: environment.storefront_keys(&payments)?,
            payments,
            keys: environment.project_keys()?,
            gate: environment.gate()?,
            tokens: environment.token_secret()?,
            base_url: config::base_url("PUBLIC_BASE_URL")?,
            page_url: config::base_url("PAYMENT_PAGE_URL")?,
            page_settings: config::payment_page()?,
            wait_slots: config::count("WAIT_SLOTS")?,
        })
    }

    /// Opens connections and reads secrets before the first request arrives.
    pub async fn prewarm(&self) {
        let all = async {
            tokio::join!(
                environment::prewarm(&self.payments),
                self.keys.prewarm(),
                self.tokens.prewarm(),
                self.gate.prewarm(),
            )
        };
        prewarm::within_limit(all).await;
    }

    pub(crate) fn is_open(&self, payment: &Payment) -> bool {
        let now = self.payments.clock.now();
        payment.checkout_state(now) == Some(CheckoutState::Open)
    }
}
