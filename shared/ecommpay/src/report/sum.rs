//! Defines amounts as the platform reports them.
//!
//! Source ([list](crate::sources)): Callbacks.

use serde::{Deserialize, Serialize};

use crate::json::Value;

/// An amount as the platform reports it, in any currency and without limits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sum {
    /// Minor units.
    pub amount: u64,
    /// The ISO 4217 code.
    pub currency: String,
}

impl Sum {
    /// Reads `{"amount": .., "currency": ..}`. Returns `None` if the amount or the currency is missing or malformed.
    pub fn read(value: &Value<'_>) -> Option<Self> {
        Some(Self {
            amount: value.get("amount")?.as_u64()?,
            currency: value.text_at("currency")?,
        })
    }
}
