//! Makes the page of the bank.

use axum::response::Response;
use maud::html;

use crate::html::euros;
use crate::platform::html::{order_summary, page};
use crate::platform::records::Payment;

/// In euro cents. The bank's app can pay only smaller amounts. Therefore the page has a QR code only for smaller
/// amounts.
const APP_LIMIT: u64 = 50_000;

pub fn bank(payment: &Payment) -> Response {
    let amount = payment.order.amount;
    let action = |choice: &str| format!("/bank/{}/{choice}", payment.token);
    let content = html! {
        (order_summary("Bancontact", amount, payment.order.title()))
        @if amount < APP_LIMIT {
            div.qr id="qr" role="img" aria-label="Placeholder for a QR code" {}
            p.muted.qr-text { "Scan with your banking app" }
        }
        form method="post" {
            button.main id="pay" name="choice" value="pay" formaction=(action("pay")) {
                "Pay " (euros(amount))
            }
            button id="decline" name="choice" value="decline" formaction=(action("decline")) {
                "Decline"
            }
            button id="walk-away" name="choice" value="walk-away" formaction=(action("walk-away")) {
                "Leave without paying"
            }
        }
    };
    page("Pay with Bancontact", content)
}
