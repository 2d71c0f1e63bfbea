//! Starts a sandbox with the sample consumer.

use anyhow::ensure;
use e2e::queue::Queue;
use e2e::storefront::partial_refund;
use e2e::system::System;
use sandbox::Options;
use serde_json::Value;

use crate::consumer::table::{self, Stored};

pub struct Setup {
    pub system: System,
    pub fulfilment: Queue,
    pub dead_letters: Queue,
    pub audit: Queue,
}

impl Setup {
    pub async fn start() -> anyhow::Result<Self> {
        let options = Options {
            sample_consumer: true,
            ..Options::any_ports()
        };
        let system = System::start(options).await?;
        let fulfilment = system.queue("fulfilment")?;
        Ok(Self {
            dead_letters: fulfilment.dead_letters().await?,
            fulfilment,
            audit: system.queue("audit")?,
            system,
        })
    }

    /// Creates and pays a payment, and waits until the consumer ships the order.
    pub async fn ship(&self, payment_id: &str) -> anyhow::Result<()> {
        self.system.create_paid(payment_id).await?;
        let is_shipped = |stored: &Stored| stored.actions.iter().any(|action| action == "ship");
        table::until(&self.system, payment_id, is_shipped).await?;
        Ok(())
    }

    /// Refunds `amount` cents, and waits for the status of the payment.
    pub async fn refund(&self, payment_id: &str, amount: u64, status: &str) -> anyhow::Result<()> {
        let storefront = &self.system.storefront;
        let refund = partial_refund("r-1", amount);
        storefront.post_refund(payment_id, &refund, 202).await?;
        storefront.until(payment_id, status).await?;
        Ok(())
    }

    /// Sends an event to the consumer again. The queue delivers the event, because `name` is a part of the
    /// deduplication id.
    pub async fn send_again(&self, event: &Value, name: &str) -> anyhow::Result<()> {
        let id = event["id"].as_str().unwrap_or_default();
        let (payment, _) = id.rsplit_once('/').unwrap_or_default();
        let (payment, name) = (payment.to_ascii_lowercase(), format!("{name}-{id}"));
        let event = event.to_string();
        self.fulfilment.send(&payment, &name, &event).await
    }

    pub async fn ensure_no_dead_letters(&self) -> anyhow::Result<()> {
        let counts = self.dead_letters.counts().await?;
        ensure!(counts == (0, 0), "{counts:?} dead letters");
        Ok(())
    }
}
