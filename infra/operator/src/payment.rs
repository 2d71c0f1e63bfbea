//! The payment that a command is about.

use anyhow::Context;
use clap::Args;
use ecommpay::fields::ProjectId;
use payments::PaymentKey;
use payments::ports::{PaymentStore, Stored};

use crate::account::Account;
use crate::values;

#[derive(Args)]
pub struct PaymentArgs {
    /// The project at the platform.
    #[arg(long, value_parser = values::project)]
    pub project: ProjectId,
    /// The payment's id.
    #[arg(value_parser = payment_id)]
    pub payment_id: String,
}

fn payment_id(text: &str) -> Result<String, &'static str> {
    let fits = (1..=PaymentKey::MAX_ID_LENGTH).contains(&text.chars().count());
    fits.then(|| text.to_owned()).ok_or("not an id")
}

impl PaymentArgs {
    /// The payment's key.
    pub fn key(&self) -> PaymentKey {
        PaymentKey::new(self.project, &self.payment_id)
    }

    /// The payment as it is in the table.
    pub async fn load(&self, account: &Account) -> anyhow::Result<Stored> {
        let stored = account.store().load(&self.key()).await?;
        stored.with_context(|| format!("project {} has no such payment", self.project))
    }
}
