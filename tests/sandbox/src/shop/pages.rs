//! Makes the shop's pages.

use axum::response::Html;
use maud::{Markup, html};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use url::form_urlencoded;

use super::api::PaymentStatus;
use super::choice::{CHANNELS, LANGUAGES, LAST_NAME, PRODUCTS};
use super::history::{Line, Source};
use super::orders::Shipment;
use crate::html::{document, euros};

const STYLE: &str = include_str!("style.css");
const TIME: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]:[second]");

/// The browser reloads a changing page after this number of seconds.
const REFRESH_AFTER: u8 = 2;

fn page(heading: &str, refreshes: bool, content: &Markup) -> Html<String> {
    let body = html! {
        header {
            nav { a href="/" { "Demo shop" } a #activity href="/activity" { "Activity" } }
        }
        main { h1 { (heading) } (content) }
    };
    let title = format!("{heading} - Demo shop");
    let refresh_after = refreshes.then_some(REFRESH_AFTER);
    Html(document(&title, STYLE, refresh_after, &body))
}

pub fn order_path(payment_id: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("payment_id", payment_id)
        .finish();
    format!("/thanks?{query}")
}

pub fn products() -> Html<String> {
    let content = html! {
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
                legend { "How would you like to pay?" }
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
            small #last-name-hint { "If this field is empty, Bancontact asks for your name." }
            button #buy { "Pay with Bancontact" }
        }
    };
    page("Tea for everyone", false, &content)
}

/// The browser reloads the page while the payment or the delivery can still change.
pub fn order(
    payment: &PaymentStatus,
    shipment: Shipment,
    checkout_url: Option<&str>,
) -> Html<String> {
    let (heading, is_changing) = if payment.is_lost() {
        ("The payment was not made", false)
    } else if payment.is_refunded() {
        ("Your money is refunded", shipment != Shipment::TakenBack)
    } else if payment.is_paid() {
        let is_waiting = shipment == Shipment::NotYet;
        ("Thank you", is_waiting || !payment.is_settled())
    } else {
        ("Your payment is being checked", true)
    };
    let unpaid = checkout_url.filter(|_| payment.status == "awaiting_customer");
    let content = html! {
        dl {
            dt { "Order" } dd #order { (payment.payment_id) }
            dt { "Payment" } dd #payment { (payment.status) }
            @if payment.is_paid() { dt { "Paid" } dd #paid { (euros(payment.paid_amount)) } }
            @if payment.refunded_amount > 0 {
                dt { "Refunded" } dd #refunded { (euros(payment.refunded_amount)) }
            }
            dt { "Delivery" } dd #delivery { (shipment.as_str()) }
        }
        @if let Some(url) = unpaid {
            p { "Not paid yet? " a #pay href=(url) { "Continue to pay" } "." }
        }
        @if payment.refundable_amount > 0 {
            form method="post" action="/send-back" {
                input type="hidden" name="payment_id" value=(payment.payment_id);
                button.quiet #send-back { "Send it back" }
            }
        }
        (link_to_products())
    };
    page(heading, is_changing, &content)
}

/// The newest line is the first.
pub fn activity(lines: &[Line]) -> Html<String> {
    let content = html! {
        p { "The statuses from the API, and the events that the shop received. "
            "This page refreshes by itself; keep it open in a second tab." }
        @if lines.is_empty() { p { "No activity yet." } }
        ol #lines {
            @for line in lines {
                li {
                    time { (line.at.format(TIME).unwrap_or_default()) }
                    @match line.source {
                        Source::Api => span.source { "API" },
                        Source::Event => span.source.event { "Event" },
                    }
                    strong { (line.text) }
                    a href=(order_path(&line.payment_id)) { (line.payment_id) }
                }
            }
        }
    };
    page("Activity", true, &content)
}

pub fn failure(reason: &str) -> Html<String> {
    let content = html! {
        p #failure { (reason) }
        (link_to_products())
    };
    page("Something went wrong", false, &content)
}

fn link_to_products() -> Markup {
    html! { p { a.button href="/" { "Back to the shop" } } }
}
