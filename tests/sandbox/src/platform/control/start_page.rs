//! Makes the start page, which explains the endpoints, the control calls and the switches.

use axum::extract::State;
use axum::response::Response;
use maud::{PreEscaped, html};

use crate::platform::html::wide_page;
use crate::platform::shared::App;

pub async fn show(State(shared): App) -> Response {
    let content = html! {
        h1 { "Simulated platform" }
        p { "The simulated platform accepts Bancontact payments of project " (shared.project.id) " as the real platform
            does, but moves no money. It divides the real platform's delays by " (shared.clock_speed) "." }
        (PreEscaped(include_str!("start_page.html")))
    };
    wide_page("Simulated platform", content)
}
