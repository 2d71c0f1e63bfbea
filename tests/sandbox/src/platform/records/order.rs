//! Defines the orders of a merchant, with their URLs and callback options.

use serde_json::{Map, Value};
use time::OffsetDateTime;
use url::Url;

#[derive(Debug, Clone, Default)]
pub struct SaleOrder {
    /// In the merchant's spelling. The platform ignores the case of ids.
    pub payment_id: String,
    /// In minor units.
    pub amount: u64,
    pub description: Option<String>,
    pub customer: Map<String, Value>,
    pub return_urls: ReturnUrls,
    pub callbacks: CallbackOptions,
    /// Set only for an order through a Payment Page link.
    pub page: Option<PageOrder>,
}

impl SaleOrder {
    /// Returns the text that pages show: the description, or else the payment id.
    pub fn title(&self) -> &str {
        self.description.as_deref().unwrap_or(&self.payment_id)
    }
}

/// Where the bank redirects the shopper.
#[derive(Debug, Clone, Default)]
pub struct ReturnUrls {
    /// For a payment without a result, and instead of a missing `success` or `decline`.
    pub default: String,
    pub success: Option<String>,
    pub decline: Option<String>,
}

/// The part of a Payment Page link that the order stores.
#[derive(Debug, Clone)]
pub struct PageOrder {
    /// Identifies the link.
    pub signature: String,
    pub buttons: PageUrls,
}

/// The merchant's URLs in a Payment Page link.
#[derive(Debug, Clone, Default)]
pub struct PageUrls {
    pub success: Option<String>,
    pub fail: Option<String>,
    /// For a payment without a result.
    pub back: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub struct CallbackOptions {
    /// Replaces the project's callback URL.
    pub url: Option<String>,
    /// The delay of the first attempt, in seconds.
    pub delay: u64,
    pub disabled: bool,
}

#[derive(Debug, Clone, Default)]
pub struct RefundOrder {
    /// An amount in minor units and its currency. `None` means the remaining amount.
    pub sum: Option<(u64, String)>,
    pub merchant_refund_id: Option<String>,
}

/// The ids and the time of a new operation.
#[derive(Debug, Clone)]
pub struct Stamp {
    pub operation_id: u64,
    pub request_id: String,
    pub now: OffsetDateTime,
}

/// Whether the platform accepts a text as a URL.
pub fn is_web_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
