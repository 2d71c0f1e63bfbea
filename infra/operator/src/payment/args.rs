//! Defines the arguments that identify a payment.

use anyhow::Context;
use clap::Args;
use ecommpay::fields::ProjectId;
use payments::PaymentKey;
use payments::model::path_id;
use payments::ports::{PaymentStore, Stored};

use crate::input::values;
use crate::stack::Stack;

#[derive(Args)]
pub struct PaymentArgs {
    /// The id of the project at the platform.
    #[arg(long, value_parser = values::project)]
    pub project: ProjectId,
    /// The payment's id, or `~` and the base64url of the id without padding.
    #[arg(value_parser = payment_id)]
    pub payment_id: String,
}

pub fn payment_id(text: &str) -> Result<String, String> {
    let id = path_id::from_path(text).map_err(|error| error.to_string())?;
    PaymentKey::is_allowed_length(&id)
        .then(|| id.into_owned())
        .ok_or_else(|| format!("not 1 to {} characters", PaymentKey::MAX_ID_LENGTH))
}

impl PaymentArgs {
    pub fn key(&self) -> PaymentKey {
        PaymentKey::new(self.project, &self.payment_id)
    }

    pub async fn load(&self, stack: &Stack) -> anyhow::Result<Stored> {
        let stored = stack.store().load(&self.key()).await?;
        stored.with_context(|| format!("project {} has no such payment", self.project))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_id_is_also_read_in_its_encoding_for_paths() {
        for (text, id) in [
            ("order-1", "order-1"),
            ("a/b", "a/b"),
            ("~YS9i", "a/b"),
            ("~fm9yZGVy", "~order"),
        ] {
            assert_eq!(payment_id(text).as_deref(), Ok(id));
        }
        let long = "x".repeat(256);
        for text in ["", &long, "~", "~YS9i=", "~order"] {
            assert!(payment_id(text).is_err(), "{text}");
        }
    }
}
