//! The start page: explains the endpoints, the control calls and the switches.

mod calls;
mod switches;

use axum::extract::State;
use axum::response::Response;
use maud::html;

use crate::platform::html::wide_page;
use crate::platform::shared::App;
use calls::CALLS;
use switches::SWITCHES;

pub async fn show(State(shared): App) -> Response {
    let content = html! {
        h1 { "Simulated platform" }
        p { "Accepts Bancontact payments of project " (shared.project.id) " as the real platform does, but moves no
            money. It divides all delays by " (shared.clock_speed) "." }
        ul {
            li { "Gate: " code { "POST /v2/payment/bancontact/sale" } ", "
                code { "/v2/payment/bancontact/refund" } ", " code { "/v2/payment/refund" } ", "
                code { "/v2/payment/clarification" } " and " code { "/v2/payment/status" }
                ", with the documented signature." }
            li { "Payment Page: " code { "GET /payment?..." } " with a signed link. Its button leads to the bank." }
            li { "Bank: " code { "POST /bank/{page}/pay" } ", " code { "/decline" } " or " code { "/walk-away" }
                ". The URL of the page is in the redirect data and in the platform record." }
            li { "Data API: " code { "POST /v1/operations/get" } ", signed with the key of the token. Times are in UTC
                or have an offset." }
        }
        h2 { "Control calls" }
        p { "Requests and answers are JSON. A call that changes a payment also sends the callback. Its answer has "
            code { "operation_id" } ", " code { "request_id" } " and " code { "payment_status" }
            ". It is 409 if the state of the payment does not allow the change." }
        @for call in CALLS {
            p { code { (call.request) } }
            @if !call.body.is_empty() { pre { (call.body) } }
            p { (call.effect) }
        }
        h2 { "Switches" }
        p { code { "PUT /simulator/payments/{id}/faults" } " sets the switches of a payment, also before the payment
            exists. " code { "PUT /simulator/faults" } " sets the switches of new payments. The new object replaces the
            old one, so " code { "{}" } " ends all faults. " code { "GET" } " on the same paths returns the switches.
            A payment keeps the switches that new payments had at its first request." }
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
    wide_page("Simulated platform", content)
}
