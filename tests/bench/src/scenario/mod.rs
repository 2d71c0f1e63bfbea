//! Makes the events that API Gateway sends to the functions.

mod messages;
#[cfg(test)]
mod tests;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::stubs::Stubs;

pub use self::messages::{callback, event, order, report, sign};

pub const STOREFRONT_KEY: &str = "sk_bench_3QqYcW1nFzq0cUNs5tYV0y7QJrj4aZb9dXk2mLhG8Ts";
pub const STOREFRONT: &str = include_str!("../../data/storefront.json");
/// The payment id in the items of `data`. Each scenario except the duplicate replaces this id.
const PLACEHOLDER: &str = "bench-0000000000";

const WAITING: &str = include_str!("../../data/waiting.json");
const PAID: &str = include_str!("../../data/paid.json");

/// A kind of event, and the items that the table has before the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// A callback that reports a success.
    NewCallback,
    /// A callback that repeats the report of a success.
    DuplicateCallback,
    /// A callback with a wrong signature.
    ForgedCallback,
    /// A request that creates a payment.
    Checkout,
    /// A request that refunds a part of a payment.
    Refund,
}

impl Scenario {
    /// All scenarios, in the order of the result tables.
    pub const ALL: [Self; 5] = [
        Self::NewCallback,
        Self::DuplicateCallback,
        Self::ForgedCallback,
        Self::Checkout,
        Self::Refund,
    ];

    /// Returns the name in the result tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::NewCallback => "callback, new",
            Self::DuplicateCallback => "callback, duplicate",
            Self::ForgedCallback => "callback, bad signature",
            Self::Checkout => "checkout",
            Self::Refund => "refund",
        }
    }

    pub fn function(self) -> &'static str {
        match self {
            Self::NewCallback | Self::DuplicateCallback | Self::ForgedCallback => "callback",
            Self::Checkout => "checkout",
            Self::Refund => "refund",
        }
    }

    fn status(self) -> u64 {
        match self {
            Self::NewCallback | Self::DuplicateCallback => 200,
            Self::ForgedCallback => 401,
            Self::Checkout => 201,
            Self::Refund => 202,
        }
    }

    /// Stores the items for the event with this number, and returns the event.
    pub fn stage(self, number: u64, stubs: &Stubs) -> anyhow::Result<String> {
        let payment_id = format!("bench-{number:010}");
        let put = |item: &str| {
            let item = item.replace(PLACEHOLDER, &payment_id);
            stubs.put(serde_json::from_str(&item)?)
        };
        let event = match self {
            Self::NewCallback => {
                put(WAITING)?;
                event("POST /callbacks", None, &callback(&payment_id)?)
            }
            Self::DuplicateCallback => {
                // The payment keeps its id, because the stored payment has a hash of the report, and the report has the
                // id.
                stubs.put(serde_json::from_str(PAID)?)?;
                event("POST /callbacks", None, &callback(PLACEHOLDER)?)
            }
            Self::ForgedCallback => {
                let body = callback(&payment_id)?;
                let forged = body.replacen("\"amount\":1000", "\"amount\":9000", 1);
                ensure!(forged != body, "the callback has no amount to change");
                event("POST /callbacks", None, &forged)
            }
            Self::Checkout => {
                put(STOREFRONT)?;
                event("POST /checkouts", None, &order(&payment_id).to_string())
            }
            Self::Refund => {
                put(STOREFRONT)?;
                put(PAID)?;
                let refund = messages::refund(&payment_id).to_string();
                let route = "POST /payments/{payment_id}/refunds";
                event(route, Some(&payment_id), &refund)
            }
        };
        Ok(event.to_string())
    }

    /// Fails if the answer has an unexpected status.
    pub fn check(self, reply: &[u8]) -> anyhow::Result<()> {
        let answer: Value = serde_json::from_slice(reply).context("the answer is not JSON")?;
        let status = answer.get("statusCode").and_then(Value::as_u64);
        let (name, expected) = (self.name(), self.status());
        ensure!(
            status == Some(expected),
            "{name}: expected the status {expected}, received {}",
            String::from_utf8_lossy(reply)
        );
        Ok(())
    }
}
