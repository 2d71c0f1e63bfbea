//! Defines the arguments that identify a payment.

use anyhow::Context;
use clap::Args;
use ecommpay::fields::ProjectId;
use payments::PaymentKey;
use payments::ports::{PaymentStore, Stored};

use crate::input::values;
use crate::stack::Stack;

#[derive(Args)]
pub struct PaymentArgs {
    /// The id of the project at the platform.
    #[arg(long, value_parser = values::project)]
    pub project: ProjectId,
    /// The payment's id.
    #[arg(value_parser = payment_id)]
    pub payment_id: String,
}

fn payment_id(text: &str) -> Result<String, String> {
    let fits = (1..=PaymentKey::MAX_ID_LENGTH).contains(&text.chars().count());
    fits.then(|| text.to_owned())
        .ok_or_else(|| format!("not 1 to {} characters", PaymentKey::MAX_ID_LENGTH))
}

impl PaymentArgs {
    /// Returns the key of the payment.
    pub fn key(&self) -> PaymentKey {
        PaymentKey::new(self.project, &self.payment_id)
    }

    /// Reads the payment from the table.
    pub async fn load(&self, stack: &Stack) -> anyhow::Result<Stored> {
        let stored = stack.store().load(&self.key()).await?;
        stored.with_context(|| format!("project {} has no such payment", self.project))
    }
}
