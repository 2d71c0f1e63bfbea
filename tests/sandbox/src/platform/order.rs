//! The orders of a merchant: a sale, a refund, and what a sale says about addresses and callbacks.

use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::payment_link::Link;

/// The order of a sale.
#[derive(Debug, Clone)]
pub struct SaleOrder {
    /// In the merchant's spelling; compared without case.
    pub payment_id: String,
    /// Minor units.
    pub amount: u64,
    /// The merchant's description.
    pub description: Option<String>,
    /// The customer object of the request.
    pub customer: Map<String, Value>,
    /// Where the shopper goes after the bank.
    pub return_url: ReturnUrl,
    /// How callbacks are to be sent.
    pub callbacks: CallbackOptions,
    /// The signed link to Payment Page that ordered it; none for Gate and for Dashboard links.
    pub link: Option<Link>,
}

/// Where the shopper goes after the bank.
#[derive(Debug, Clone, Default)]
pub struct ReturnUrl {
    /// On interruption, and when the other two are not given.
    pub always: String,
    /// After success.
    pub success: Option<String>,
    /// After a decline.
    pub decline: Option<String>,
}

/// How the callbacks of a payment are to be sent.
#[derive(Debug, Clone, Default)]
pub struct CallbackOptions {
    /// Replaces the project's address.
    pub url: Option<String>,
    /// Seconds before each callback.
    pub delay: u64,
    /// Sends no callbacks at all.
    pub disabled: bool,
}

/// The order of a refund.
#[derive(Debug, Clone)]
pub struct RefundOrder {
    /// The payment.
    pub payment_id: String,
    /// Minor units and currency; the rest of the payment without them.
    pub sum: Option<(u64, String)>,
    /// The merchant's own id of the refund.
    pub merchant_refund_id: Option<String>,
}

/// The ids and the time of a new operation.
#[derive(Debug, Clone)]
pub struct Marks {
    /// The platform's number.
    pub operation_id: u64,
    /// The id of the request.
    pub request_id: String,
    /// The time.
    pub now: OffsetDateTime,
}
