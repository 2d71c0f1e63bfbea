//! Makes the frame of the platform's pages, and pages that show only a message.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use url::Url;

use crate::html::{document, euros};

const STYLE: &str = include_str!("style.css");

/// For shoppers.
pub fn page(title: &str, content: Markup) -> Response {
    framed(title, "narrow", content)
}

/// For developers.
pub fn wide_page(title: &str, content: Markup) -> Response {
    framed(title, "wide", content)
}

/// The browser must not cache a page, because its content changes with the payment.
fn framed(title: &str, class: &str, content: Markup) -> Response {
    let body = html! { main class=(class) { (content) } };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, document(title, STYLE, None, &body)).into_response()
}

/// If `shop` is set, the page links to this URL.
pub fn notice(status: StatusCode, heading: &str, text: &str, shop: Option<&str>) -> Response {
    let content = html! {
        h1 id="notice" { (heading) }
        p { (text) }
        (link_to_shop(shop))
    };
    (status, page(heading, content)).into_response()
}

pub fn unknown_payment() -> Response {
    let text = "There is no payment at this address.";
    notice(StatusCode::NOT_FOUND, "Unknown payment", text, None)
}

pub fn unusable_link(status: StatusCode, reason: &str) -> Response {
    notice(status, "This link cannot be paid", reason, None)
}

pub fn link_to_shop(shop: Option<&str>) -> Markup {
    html! {
        @if let Some(url) = shop { p { a id="back" href=(url) { "Back to the shop" } } }
    }
}

/// `amount` is in euro cents.
pub fn order_summary(heading: &str, amount: u64, title: &str) -> Markup {
    html! {
        h1 { (heading) }
        p.muted { "Simulation: no real money is charged." }
        p.amount id="amount" { (euros(amount)) }
        p.muted id="reference" { (title) }
    }
}

/// Percent-encodes the characters that a header cannot hold.
pub fn redirect_to(url: &str) -> Response {
    let encoded = Url::parse(url).map(String::from);
    Redirect::to(encoded.as_deref().unwrap_or(url)).into_response()
}
