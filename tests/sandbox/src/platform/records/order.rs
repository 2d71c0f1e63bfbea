//! Defines the orders of a merchant, with their URLs and callback options.

use serde_json::{Map, Value};
use time::OffsetDateTime;
use url::Url;

/// The order of a sale.
#[derive(Debug, Clone, Default)]
pub struct SaleOrder {
    /// The id in the merchant's spelling. The platform compares ids without case.
    pub payment_id: String,
    /// Minor units.
    pub amount: u64,
    pub description: Option<String>,
    /// The customer object of the request.
    pub customer: Map<String, Value>,
    pub return_urls: ReturnUrls,
    pub callbacks: CallbackOptions,
    /// The Payment Page link of the order; `None` for orders through Gate and for payment links of the Dashboard.
    pub page: Option<PageOrder>,
}

impl SaleOrder {
    /// Returns the text about the order on pages: the description, or the payment id if there is no description.
    pub fn title(&self) -> &str {
        self.description.as_deref().unwrap_or(&self.payment_id)
    }
}

/// The URLs to which the bank sends the shopper.
#[derive(Debug, Clone, Default)]
pub struct ReturnUrls {
    /// For a payment without a result. Also replaces a missing `success` or `decline`.
    pub default: String,
    pub success: Option<String>,
    pub decline: Option<String>,
}

/// The part of a Payment Page link that is stored with the order.
#[derive(Debug, Clone)]
pub struct PageOrder {
    /// The signature of the link, which identifies the link.
    pub signature: String,
    /// The URLs of the buttons that lead to the merchant.
    pub buttons: PageUrls,
}

/// The merchant's URLs in a Payment Page link.
#[derive(Debug, Clone, Default)]
pub struct PageUrls {
    pub success: Option<String>,
    pub fail: Option<String>,
    /// For a payment that has not ended.
    pub back: Option<String>,
}

/// How the callbacks of a payment are sent.
#[derive(Debug, Clone, Default)]
pub struct CallbackOptions {
    /// Replaces the project's callback URL.
    pub url: Option<String>,
    /// The delay before the first attempt to deliver a callback, in seconds.
    pub delay: u64,
    /// Whether the platform sends no callbacks.
    pub disabled: bool,
}

/// The order of a refund.
#[derive(Debug, Clone, Default)]
pub struct RefundOrder {
    /// The amount in minor units, and the currency. `None` means the remaining amount.
    pub sum: Option<(u64, String)>,
    /// The merchant's id of the refund.
    pub merchant_refund_id: Option<String>,
}

/// The ids and the time of a new operation.
#[derive(Debug, Clone)]
pub struct Stamp {
    pub operation_id: u64,
    pub request_id: String,
    pub now: OffsetDateTime,
}

/// Whether the platform accepts a text as a URL of the merchant: an HTTP or HTTPS URL.
pub fn is_web_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
