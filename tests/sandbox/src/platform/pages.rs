//! The pages that a browser sees: the bank's, its notices, and the start page.

use maud::{DOCTYPE, Markup, PreEscaped, html};

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
@media (prefers-color-scheme: dark) {
  body { background: #0d1526; color: #e8edf7; } main { background: #18233b; }
  .muted { color: #a9b4cc; } pre { background: #0d1526; } a { color: #9cc9f2; }
}
";

/// The page where the shopper pays.
pub fn bank(payment: &Payment) -> Markup {
    let order = &payment.order;
    let action = |choice: &str| format!("/bank/{}/{choice}", payment.bank_token);
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

/// Where a customer confirms what a link orders; `name_is_wrong` if the last name was.
pub fn payment_page(link: &Link, name_is_wrong: bool) -> Markup {
    let content = html! {
        h1 { "Payment Page" }
        p.muted { "Simulated platform: no money moves." }
        p.amount id="amount" { (euros(link.amount)) }
        p.muted id="reference" { (link.description.as_deref().unwrap_or(&link.payment_id)) }
        form method="post" {
            @if !link.customer.contains_key("last_name") {
                label {
                    "Last name"
                    input id="last-name" name="last_name" autocomplete="family-name" required
                        minlength="3" maxlength="100";
                }
                @if name_is_wrong { p role="alert" { "A last name has 3 to 100 characters." } }
            }
            button.main id="confirm" { "Continue with Bancontact" }
        }
        @if let Some(back) = &link.buttons.back {
            p { a id="back" href=(back) { "Back to the shop" } }
        }
    };
    layout("Payment Page", "narrow", content)
}

/// A page that says one thing, with a way back to the shop if there is one.
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

/// What this server is and how it is driven.
pub fn start(project_id: u32, clock_speed: f64) -> Markup {
    let content = html! {
        h1 { "Simulated platform" }
        p { "Takes Bancontact payments of project " (project_id) " like the real platform, without
            money. Its pauses are divided by " (clock_speed) "." }
        ul {
            li { "Gate: " code { "POST /v2/payment/bancontact/sale" } ", "
                code { "/bancontact/refund" } ", " code { "/clarification" } ", "
                code { "/status" } ", signed as documented." }
            li { "Payment Page: " code { "GET /payment?..." } " with a signed link; a button leads to
                the bank." }
            li { "The bank: " code { "POST /bank/{page}/pay" } ", " code { "/decline" } " or "
                code { "/walk-away" } "; the page's address is in the redirect data and in the
                books." }
            li { "Data API: " code { "POST /v1/operations/get" } ", signed with the token's key; times in UTC
                or with an offset." }
            li { "The books: " a href="/simulator/payments" { "GET /simulator/payments" } ", "
                code { "GET /simulator/payments/{id}" } "." }
            li { "A refund as from the Dashboard: "
                code { "POST /simulator/payments/{id}/refunds" } " with "
                code { "{\"amount\": 400}" } "." }
            li { "Faults: " code { "PUT /simulator/payments/{id}/faults" } " (also before the
                payment exists) or " code { "PUT /simulator/faults" } " for new payments, with the
                switches to be on. The object replaces the one before; " code { "{}" } " ends all
                faults." }
        }
        pre { (PreEscaped(SWITCHES)) }
    };
    layout("Simulated platform", "wide", content)
}

const SWITCHES: &str = r#"duplicate: 2          so many more copies of each callback
delay_ms: 500         pause before each callback
hold: true            callbacks wait until this is switched off
drop: true            callbacks get lost (switched off: the next repeat arrives)
reorder: true         every other callback comes after the next one
tamper: true          callbacks are changed after signing
wrong_amount: 900     the bank takes this amount (true: one cent less)
no_redirect: true     no redirect data
redirect_method: "POST"
sale_error: true      the sale ends in "error"
answer: "ok", "error_400", "error_3041", "error_500" or "lost" (cut) before the request is
                      taken; "not_json", "slow" or "cut" after it
answer_to: ["sale", "refund"]
                      which requests that is about; also "clarification" and "status"
slow_ms: 5000         how slow "slow" is
answer_times: 1       for so many requests only
unlisted: ["sale"]    operations that the Data API does not list; also "refund"
listed_amount: 900    the Data API lists this amount"#;

fn layout(title: &str, class: &str, content: Markup) -> Markup {
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
