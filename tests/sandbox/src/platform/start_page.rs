//! The start page: explains the addresses, the control calls and the switches.

use maud::{Markup, PreEscaped, html};

use super::pages::layout;

/// What this server is and how it is driven.
pub fn page(project_id: u32, clock_speed: f64) -> Markup {
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
