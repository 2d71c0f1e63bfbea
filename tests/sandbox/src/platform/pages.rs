//! The pages of shoppers: the bank's, Payment Page, a link's, and notices.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::faults::CustomerField;
use super::payment::Payment;
use super::payment_link::Link;

/// From this amount on (500.00 EUR) the bank's app cannot pay, so there is no QR code.
const APP_LIMIT: u64 = 50_000;

const STYLE: &str = "
:root { color-scheme: light dark; }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
  font: 1rem/1.5 system-ui, sans-serif; background: #eef2f7; color: #14213d; }
main { width: 100%; max-width: 26rem; padding: 2rem; border-radius: 1rem; background: #fff;
  box-shadow: 0 .5rem 2rem rgb(20 33 61 / 15%); }
main.wide { max-width: 46rem; }
h1 { margin: 0 0 .25rem; font-size: 1.35rem; }
.amount { margin: .5rem 0; font-size: 2.25rem; font-weight: 700; }
.muted { margin: 0; color: #5b6784; overflow-wrap: anywhere; }
.qr { width: 9rem; height: 9rem; margin: 1.25rem auto .5rem; border: .75rem solid #fff;
  outline: 1px solid #cdd5e3; background: repeating-conic-gradient(#14213d 0 25%, #fff 0 50%)
  0 0 / 1.25rem 1.25rem; }
.qr-text { text-align: center; }
form { display: grid; gap: .75rem; margin-top: 1.5rem; }
form + p { margin-bottom: 0; text-align: center; }
input { width: 100%; padding: .7rem; border: 1px solid #76829b; border-radius: .6rem; font: inherit; }
button { padding: .8rem 1rem; border: 1px solid #8793ad; border-radius: .6rem; font: inherit;
  font-weight: 600; background: transparent; color: inherit; cursor: pointer; }
button.main { border-color: #005498; background: #005498; color: #fff; }
button:focus-visible, a:focus-visible { outline: 3px solid #ffd800; outline-offset: 2px; }
pre { overflow-x: auto; padding: .75rem; border-radius: .5rem; background: #eef2f7; }
li { margin-bottom: .35rem; }
td { padding: .25rem .75rem .25rem 0; vertical-align: top; overflow-wrap: anywhere; }
td:first-child { white-space: nowrap; }
@media (prefers-color-scheme: dark) {
  body { background: #0d1526; color: #e8edf7; } main { background: #18233b; }
  .muted { color: #a9b4cc; } pre { background: #0d1526; } a { color: #9cc9f2; }
}
";

/// The page where the shopper pays.
pub fn bank(payment: &Payment) -> Markup {
    let order = &payment.order;
    let action = |choice: &str| format!("/bank/{}/{choice}", payment.token);
    let content = html! {
        h1 { "Bancontact" }
        p.muted { "Simulated bank: no money moves." }
        p.amount id="amount" { (euros(order.amount)) }
        p.muted id="reference" { (order.description.as_deref().unwrap_or(&order.payment_id)) }
        @if order.amount < APP_LIMIT {
            div.qr id="qr" role="img" aria-label="Stand-in for a QR code" {}
            p.muted.qr-text { "Scan with your banking app" }
        }
        form method="post" {
            button.main id="pay" name="choice" value="pay" formaction=(action("pay")) {
                "Pay " (euros(order.amount))
            }
            button id="decline" name="choice" value="decline" formaction=(action("decline")) {
                "Decline"
            }
            button id="walk-away" name="choice" value="walk-away" formaction=(action("walk-away")) {
                "Walk away"
            }
        }
    };
    layout("Pay with Bancontact", "narrow", content)
}

/// The page where a shopper confirms the order of a link and gives the data that is missing.
pub fn payment_page(link: &Link, missing: &[CustomerField], is_wrong: bool) -> Markup {
    let content = html! {
        h1 { "Payment Page" }
        p.muted { "Simulated platform: no money moves." }
        p.amount id="amount" { (euros(link.amount)) }
        p.muted id="reference" { (link.description.as_deref().unwrap_or(&link.payment_id)) }
        form method="post" {
            @for field in missing { (input(*field)) }
            @if is_wrong {
                p role="alert" { "Fill in every field. A last name has 3 to 100 characters." }
            }
            button.main id="confirm" { "Continue with Bancontact" }
        }
        @if let Some(back) = &link.buttons.back {
            p { a id="back" href=(back) { "Back to the shop" } }
        }
    };
    layout("Payment Page", "narrow", content)
}

fn input(field: CustomerField) -> Markup {
    match field {
        CustomerField::LastName => html! {
            label {
                "Last name"
                input id="last-name" name="last_name" autocomplete="family-name" required
                    minlength="3" maxlength="100";
            }
        },
        CustomerField::FirstName => html! {
            label {
                "First name"
                input id="first-name" name="first_name" autocomplete="given-name" required
                    maxlength="255";
            }
        },
        CustomerField::Email => html! {
            label {
                "E-mail"
                input id="email" name="email" type="email" autocomplete="email" required
                    maxlength="255";
            }
        },
    }
}

/// The page of a payment link from the Dashboard.
pub fn dashboard_link(payment: &Payment) -> Markup {
    let order = &payment.order;
    let content = html! {
        h1 { "Payment link" }
        p.muted { "Simulated platform: no money moves." }
        p.amount id="amount" { (euros(order.amount)) }
        p.muted id="reference" { (order.description.as_deref().unwrap_or(&order.payment_id)) }
        form method="post" {
            button.main id="confirm" { "Continue with Bancontact" }
        }
    };
    layout("Payment link", "narrow", content)
}

/// A page with one message, with a way back to the shop if there is one.
pub fn notice(heading: &str, text: &str, back: Option<&str>) -> Markup {
    let content = html! {
        h1 id="notice" { (heading) }
        p { (text) }
        @if let Some(back) = back {
            p { a id="back" href=(back) { "Back to the shop" } }
        }
    };
    layout(heading, "narrow", content)
}

/// A whole page around some content.
pub fn layout(title: &str, class: &str, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main class=(class) { (content) } }
        }
    }
}

fn euros(amount: u64) -> String {
    format!("{}.{:02} EUR", amount / 100, amount % 100)
}

#[cfg(test)]
mod tests {
    #[test]
    fn amounts_are_written_in_euros() {
        assert_eq!(super::euros(5), "0.05 EUR");
        assert_eq!(super::euros(123_456), "1234.56 EUR");
    }
}
