//! The start page: explains the addresses, the control calls and the switches.

mod calls;
mod switches;

use maud::{Markup, html};

use super::pages::layout;
use calls::CALLS;
use switches::SWITCHES;

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
                platform record." }
            li { "Data API: " code { "POST /v1/operations/get" } ", signed with the token's key; times in UTC
                or with an offset." }
        }
        h2 { "Control calls" }
        p { "Bodies and answers are JSON. A call that changes a payment sends the callback too, and answers with "
            code { "operation_id" } ", " code { "request_id" } " and " code { "payment_status" }
            "; 409 if the state of the payment does not allow it." }
        @for call in CALLS {
            p { code { (call.request) } }
            @if !call.body.is_empty() { pre { (call.body) } }
            p { (call.effect) }
        }
        h2 { "Switches" }
        p { code { "PUT /simulator/payments/{id}/faults" } " sets the switches of a payment, also before it
            exists; " code { "PUT /simulator/faults" } " those of new payments. The object replaces the one before;
            " code { "{}" } " ends all faults. " code { "GET" } " on the same addresses reads them. A payment keeps
            the switches that were set at its first request." }
        @for group in SWITCHES {
            h3 { (group.title) }
            table {
                @for switch in group.switches {
                    tr {
                        td { code { (switch.name) } }
                        td { code { (switch.example) } }
                        td { (switch.effect) }
                    }
                }
            }
        }
    };
    layout("Simulated platform", "wide", content)
}
