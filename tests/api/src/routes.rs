//! Lists the routes of the API in the template's spelling.

/// Creates a checkout.
pub const CHECKOUTS: &str = "POST /checkouts";
/// Shows the shopper's page.
pub const PAGE: &str = "GET /checkouts/{token}";
/// Receives the form of the shopper's page.
pub const FORM: &str = "POST /checkouts/{token}";
/// Redirects a shopper who has returned from the bank. The redirect leads to the shop.
pub const RETURN: &str = "GET /checkouts/{token}/return";
/// Does the same as [`RETURN`], for a bank that posts a form.
pub const RETURN_BY_POST: &str = "POST /checkouts/{token}/return";
/// Returns the status of a checkout to the shop's page.
pub const STATUS: &str = "GET /checkouts/{token}/status";
/// Shows a payment.
pub const PAYMENT: &str = "GET /payments/{payment_id}";
/// Sends the data that the platform requests for a payment.
pub const CLARIFICATION: &str = "POST /payments/{payment_id}/clarification";
/// Creates a refund.
pub const REFUNDS: &str = "POST /payments/{payment_id}/refunds";
/// Shows a refund.
pub const REFUND: &str = "GET /payments/{payment_id}/refunds/{refund_id}";
/// Sends the data that the platform requests for a refund.
pub const REFUND_CLARIFICATION: &str =
    "POST /payments/{payment_id}/refunds/{refund_id}/clarification";
/// Receives the platform's callbacks.
pub const CALLBACKS: &str = "POST /callbacks";
