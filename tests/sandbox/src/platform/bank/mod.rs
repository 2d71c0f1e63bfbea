//! Simulates the shopper's bank: the page where the shopper pays, declines or leaves.

mod page;
pub mod redirect;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use super::faults::Faults;
use super::html::{notice, redirect_to, unknown_payment};
use super::messages::codes::Code;
use super::records::{Change, Payment, Stamp, Status};
use super::shared::{App, Shared};
use super::timers;

pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/bank/{token}", get(show))
        .route("/bank/{token}/enter", post(enter))
        .route("/bank/{token}/pay", post(pay))
        .route("/bank/{token}/decline", post(decline))
        .route("/bank/{token}/walk-away", post(walk_away))
}

async fn show(State(shared): App, Path(token): Path<String>) -> Response {
    let state = shared.state();
    match state.records.at_page(&token) {
        None => unknown_payment(),
        Some(payment) if is_open(payment, &token) => page::bank(payment),
        Some(payment) => not_open(payment),
    }
}

async fn enter(
    State(shared): App,
    Path(token): Path<String>,
    Form(posted): Form<HashMap<String, String>>,
) -> Response {
    let state = shared.state();
    let Some(payment) = state.records.at_page(&token) else {
        return unknown_payment();
    };
    if !redirect::is_own_form(&shared, payment, &posted) {
        let text = "This is not the form that the bank issued.";
        return notice(StatusCode::BAD_REQUEST, "Wrong form", text, None);
    }
    Redirect::to(&redirect::second_origin_url(&shared, payment)).into_response()
}

async fn pay(State(shared): App, Path(token): Path<String>) -> Response {
    choose(&shared, &token, |payment, faults, stamp| {
        payment.pay(faults.charge(payment.order.amount), stamp.now)
    })
}

async fn decline(State(shared): App, Path(token): Path<String>) -> Response {
    choose(&shared, &token, |payment, _, stamp| {
        payment.cancel(stamp.now)
    })
}

async fn walk_away(State(shared): App, Path(token): Path<String>) -> Response {
    match shared.state().records.at_page(&token) {
        Some(payment) => redirect_to(&payment.order.return_urls.default),
        None => unknown_payment(),
    }
}

/// Applies the shopper's choice if the payment can still be paid on this page.
fn choose(
    shared: &Arc<Shared>,
    token: &str,
    choice: impl FnOnce(&mut Payment, &Faults, Stamp) -> Result<Change, Code>,
) -> Response {
    let mut state = shared.state();
    let Some(payment) = state.records.at_page(token).cloned() else {
        return unknown_payment();
    };
    if !is_open(&payment, token) {
        return not_open(&payment);
    }
    let changed = state.change(&payment.order.payment_id, choice);
    drop(state);
    match changed {
        Ok(change) => {
            let back = redirect_to(change.payment.return_url());
            timers::publish(shared, change);
            back
        }
        Err(_) => not_open(&payment),
    }
}

/// Whether the payment can be paid on the page with this token. After an error, a newer payment can have the same id,
/// but it has another token.
fn is_open(payment: &Payment, token: &str) -> bool {
    payment.sale_status() == Some(Status::AwaitingRedirect) && payment.token == token
}

fn not_open(payment: &Payment) -> Response {
    let (heading, text) = match payment.sale_status() {
        Some(Status::Success) => (
            "Already paid",
            "This payment was made. You were not charged twice.",
        ),
        Some(Status::Decline) => (
            "Declined",
            "This payment was declined and can no longer be made.",
        ),
        _ => ("Not open", "This payment cannot be made here now."),
    };
    let back = Some(payment.return_url());
    notice(StatusCode::CONFLICT, heading, text, back)
}
