//! The shop's pages.

use axum::response::Html;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::api::PaymentStatus;
use super::fulfilment::Shipment;

const STYLE: &str = "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:36rem;margin:8vh auto;padding:0 1rem;\
color:#1a1a1a;background:#faf8f4}main{background:#fff;border-radius:.8rem;padding:2rem;\
box-shadow:0 1px 6px #0002}h1{margin-top:0}.price{font-size:1.6rem}button,a.button{font:inherit;\
padding:.7rem 1.4rem;border:0;border-radius:.4rem;background:#005498;color:#fff;cursor:pointer;\
text-decoration:none;display:inline-block}dl{display:grid;grid-template-columns:auto 1fr;gap:.3rem 1rem}\
dt{color:#555}dd{margin:0}";

fn page(title: &str, again: bool, body: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if again { meta http-equiv="refresh" content="1"; }
                title { (title) " - Demo shop" }
                style { (PreEscaped(STYLE)) }
            }
            body { main { h1 { (title) } (body) } }
        }
    };
    Html(page.into_string())
}

fn euros(cents: u64) -> String {
    format!("{}.{:02} EUR", cents / 100, cents % 100)
}

/// The product and the button that buys it.
pub fn product(price: u64) -> Html<String> {
    let body = html! {
        p { "One cup, freshly brewed, delivered before it is cold." }
        p.price #price { (euros(price)) }
        form method="post" action="/buy" { button #buy { "Pay with Bancontact" } }
    };
    page("A cup of tea", false, &body)
}

/// How the order stands; looks again by itself until that is certain.
pub fn thanks(payment: &PaymentStatus, shipment: Shipment) -> Html<String> {
    let (title, waiting) = if payment.is_lost() {
        ("The payment was not made", false)
    } else if payment.is_paid() {
        ("Thank you", shipment == Shipment::NotYet)
    } else {
        ("Your payment is being checked", true)
    };
    let body = html! {
        dl {
            dt { "Order" } dd #order { (payment.payment_id) }
            dt { "Payment" } dd #payment { (payment.status) }
            @if payment.is_paid() { dt { "Paid" } dd #paid { (euros(payment.paid_amount)) } }
            dt { "Delivery" } dd #delivery { (shipment.as_str()) }
        }
        p { a.button href="/" { "Back to the shop" } }
    };
    page(title, waiting, &body)
}

/// Something went wrong.
pub fn failure(sentence: &str) -> Html<String> {
    let body = html! {
        p #failure { (sentence) }
        p { a.button href="/" { "Back to the shop" } }
    };
    page("Something went wrong", false, &body)
}
