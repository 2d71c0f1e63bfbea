//! The shop's pages.

use axum::response::Html;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use url::form_urlencoded;

use super::api::PaymentStatus;
use super::choice::{CHANNELS, LANGUAGES, LAST_NAME, PRODUCTS};
use super::fulfilment::Shipment;
use super::history::{Line, Source};

const STYLE: &str = include_str!("style.css");
const TIME: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]:[second]");

/// `again_after` are the seconds after which the browser looks again.
fn page(title: &str, again_after: Option<u8>, body: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if let Some(seconds) = again_after { meta http-equiv="refresh" content=(seconds); }
                title { (title) " - Demo shop" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    nav { a href="/" { "Demo shop" } a #news href="/news" { "What happened" } }
                }
                main { h1 { (title) } (body) }
            }
        }
    };
    Html(page.into_string())
}

fn euros(cents: u64) -> String {
    format!("{}.{:02} EUR", cents / 100, cents % 100)
}

/// The page of an order.
pub fn order_address(payment_id: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("payment_id", payment_id)
        .finish();
    format!("/thanks?{query}")
}

/// The goods, the choices, and the button that buys.
pub fn products() -> Html<String> {
    let body = html! {
        form method="post" action="/buy" {
            fieldset {
                legend { "What would you like?" }
                @for (number, product) in PRODUCTS.iter().enumerate() {
                    label.product {
                        input type="radio" name="product" value=(product.code) checked[number == 0];
                        span {
                            strong { (product.name) }
                            span.price id=[(number == 0).then_some("price")] { (euros(product.price)) }
                            small { (product.text) }
                        }
                    }
                }
            }
            fieldset {
                legend { "How to pay" }
                @for (number, (code, name)) in CHANNELS.iter().enumerate() {
                    label.line {
                        input id=(code) type="radio" name="channel" value=(code) checked[number == 0];
                        (name)
                    }
                }
            }
            label for="language" { "Language of the payment pages" }
            select #language name="language" {
                @for (code, name) in LANGUAGES { option value=(code) { (name) } }
            }
            label for="last-name" { "Last name" }
            input #last-name name="last_name" value=(LAST_NAME) autocomplete="family-name"
                aria-describedby="last-name-hint";
            small #last-name-hint { "Left empty, Bancontact asks for it." }
            button #buy { "Pay with Bancontact" }
        }
    };
    page("Tea for everyone", None, &body)
}

/// How the order stands; looks again by itself until that is certain.
pub fn thanks(
    payment: &PaymentStatus,
    shipment: Shipment,
    checkout_url: Option<&str>,
) -> Html<String> {
    let (title, waiting) = if payment.is_lost() {
        ("The payment was not made", false)
    } else if payment.is_given_back() {
        ("Your money is back", shipment != Shipment::TakenBack)
    } else if payment.is_paid() {
        let moving = shipment == Shipment::NotYet || !payment.is_settled();
        ("Thank you", moving)
    } else {
        ("Your payment is being checked", true)
    };
    let unpaid = checkout_url.filter(|_| payment.status == "awaiting_customer");
    let body = html! {
        dl {
            dt { "Order" } dd #order { (payment.payment_id) }
            dt { "Payment" } dd #payment { (payment.status) }
            @if payment.is_paid() { dt { "Paid" } dd #paid { (euros(payment.paid_amount)) } }
            @if payment.refunded_amount > 0 {
                dt { "Refunded" } dd #refunded { (euros(payment.refunded_amount)) }
            }
            dt { "Delivery" } dd #delivery { (shipment.as_str()) }
        }
        @if let Some(address) = unpaid {
            p { "Not paid yet? " a #pay href=(address) { "Go on paying" } "." }
        }
        @if payment.refundable_amount > 0 {
            form method="post" action="/send-back" {
                input type="hidden" name="payment_id" value=(payment.payment_id);
                button.quiet #send-back { "Send it back" }
            }
        }
        p { a.button href="/" { "Back to the shop" } }
    };
    page(title, waiting.then_some(2), &body)
}

/// What happened, the newest first.
pub fn news(lines: &[Line]) -> Html<String> {
    let body = html! {
        p { "What the API said when the shop asked, and what the queue " code { "fulfilment" }
            " told it. This page looks again by itself; leave it open in a second tab." }
        @if lines.is_empty() { p { "Nothing so far." } }
        ol #lines {
            @for line in lines {
                li {
                    time { (line.at.format(TIME).unwrap_or_default()) }
                    @match line.source {
                        Source::Api => span.source { "API" },
                        Source::Queue => span.source.queue { "Queue" },
                    }
                    strong { (line.text) }
                    a href=(order_address(&line.payment_id)) { (line.payment_id) }
                }
            }
        }
    };
    page("What happened", Some(2), &body)
}

/// Something went wrong.
pub fn failure(sentence: &str) -> Html<String> {
    let body = html! {
        p #failure { (sentence) }
        p { a.button href="/" { "Back to the shop" } }
    };
    page("Something went wrong", None, &body)
}
