//! Defines what a storefront ordered, and for which customer.

use std::collections::BTreeSet;
use std::fmt;

use ecommpay::customer::CustomerDetails;
use ecommpay::fields::{Currency, LastName, MinorUnits, ProjectId, Text};
use ecommpay::report::Sum;
use serde::{Deserialize, Serialize};

use super::ids::MerchantId;
use super::timestamp::{Timestamp, millis};

/// What a storefront ordered. The amount and the currency never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The storefront that created the payment.
    pub storefront: String,
    /// The merchant's order id, which every event contains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<MerchantId>,
    /// The amount to be paid.
    pub amount: MinorUnits,
    /// The currency of the amount.
    pub currency: Currency,
    /// How the shopper reaches the bank.
    pub channel: Channel,
    /// The storefront's page to which the shopper returns.
    pub return_url: Text,
    /// The web origins whose pages may read the checkout's status.
    pub origins: BTreeSet<String>,
    /// The language of the shopper's pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The description that the platform shows to the merchant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// Personal data; `None` after its erasure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Customer>,
    /// When the checkout expires.
    #[serde(with = "millis")]
    pub expires_at: Timestamp,
    /// The start of the SHA-256 of the storefront's request. It shows whether a repeated request has other content.
    pub content: String,
}

impl Order {
    pub(super) fn sum(&self) -> Sum {
        Sum {
            amount: self.amount.get(),
            currency: self.currency.code().to_owned(),
        }
    }

    pub(super) fn matches(&self, sum: &Sum) -> bool {
        sum.amount == self.amount.get() && sum.currency == self.currency.code()
    }
}

/// Personal data of the shopper. It must not appear in a log, event or error.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The merchant's id of the customer.
    pub id: Text,
    /// The shopper's IP address.
    pub ip_address: Text,
    /// The shopper's last name.
    pub last_name: Option<LastName>,
    /// Further optional fields about the customer.
    #[serde(default, skip_serializing_if = "CustomerDetails::is_empty")]
    pub details: CustomerDetails,
}

impl fmt::Debug for Customer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Customer(hidden)")
    }
}

/// A value with personal data. `Debug` hides it, and it must not appear in a log, event or error.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Private<T>(pub T);

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Private(hidden)")
    }
}

/// The key of a paid order. Two storefronts can use the same order id, so the key includes the storefront.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaidOrder<'a> {
    /// The project that took the money.
    pub project_id: ProjectId,
    /// The storefront that created the payment.
    pub storefront: &'a str,
    /// The storefront's order id.
    pub order_id: &'a MerchantId,
}

/// How the shopper reaches the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A Gate sale. A callback or a status answer contains the redirect URL.
    Gate,
    /// A signed link to Payment Page. The platform creates the payment when the shopper confirms on this page.
    PaymentPage,
}
