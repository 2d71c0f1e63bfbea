//! What a storefront ordered, and from whom.

use std::collections::BTreeSet;
use std::fmt;

use ecommpay::customer::CustomerDetails;
use ecommpay::fields::{Currency, LastName, MinorUnits, ProjectId, Text};
use ecommpay::report::Sum;
use serde::{Deserialize, Serialize};

use crate::model::ids::MerchantId;
use crate::model::timestamp::{Timestamp, millis};

/// What a storefront ordered. Amount, currency and project never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The storefront that created the payment.
    pub storefront: String,
    /// The merchant's order, carried in every event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<MerchantId>,
    /// The amount to be paid.
    pub amount: MinorUnits,
    /// Its currency.
    pub currency: Currency,
    /// How the shopper gets to the bank.
    pub channel: Channel,
    /// Where the shopper goes in the end.
    pub return_url: Text,
    /// The storefront's origins, whose pages may ask how the checkout stands.
    pub origins: BTreeSet<String>,
    /// The language of the shopper's pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Shown to the merchant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// Who pays; erased after a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Customer>,
    /// When the hand-off ends.
    #[serde(with = "millis")]
    pub expires_at: Timestamp,
    /// The start of the SHA-256 of what the storefront sent, to tell a repeat from another order.
    pub content: String,
}

impl Order {
    /// Whether a sum is exactly what was ordered.
    pub(crate) fn is(&self, sum: &Sum) -> bool {
        sum.amount == self.amount.get() && sum.currency == self.currency.code()
    }
}

/// Personal data of the shopper; in no log, event or error.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The merchant's id of the customer.
    pub id: Text,
    /// The shopper's address.
    pub ip_address: Text,
    /// The shopper's last name.
    pub last_name: Option<LastName>,
    /// What else is known about the shopper.
    #[serde(default, skip_serializing_if = "CustomerDetails::is_empty")]
    pub details: CustomerDetails,
}

impl fmt::Debug for Customer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Customer(hidden)")
    }
}

/// A piece of personal data; in no log, event or error.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Private<T>(pub T);

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Private(hidden)")
    }
}

/// An order that was paid. Each storefront numbers its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaidOrder<'a> {
    /// The project that took the money.
    pub project_id: ProjectId,
    /// Whose order it is.
    pub storefront: &'a str,
    /// Its number there.
    pub order_id: &'a MerchantId,
}

/// How the shopper gets to the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A Gate sale; the redirect URL comes by callback.
    Gate,
    /// A signed link to the platform's own page, where the payment begins when the shopper
    /// confirms.
    PaymentPage,
}
