//! The page of a payment link from the Dashboard: the shopper confirms and goes on to the bank.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use super::operation::Status;
use super::payment::Payment;
use super::{Shared, bank, flow, pages};

/// The page of each link.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/link/{token}", get(show).post(confirm))
}

/// The address of a link.
pub fn address(shared: &Shared, token: &str) -> String {
    format!("{}/link/{token}", shared.address())
}

async fn show(State(shared): State<Arc<Shared>>, Path(token): Path<String>) -> Response {
    match link(&shared, &token) {
        None => bank::not_found(),
        Some(payment) if payment.sale().is_none() => page(&payment),
        Some(payment) => go_on(&shared, &payment),
    }
}

async fn confirm(State(shared): State<Arc<Shared>>, Path(token): Path<String>) -> Response {
    let begun = {
        let mut state = shared.state();
        let request_id = state.ids.request();
        let marks = state.ids.marks(&request_id);
        state.records.begin_link_sale(&token, marks)
    };
    if let Ok(change) = begun {
        let payment_id = change.payment.order.payment_id.clone();
        flow::sale_ends(&shared, payment_id, change.operation.id);
        flow::redirected(&shared, &change);
        return go_on(&shared, &change.payment);
    }
    match link(&shared, &token) {
        None => bank::not_found(),
        Some(payment) if payment.sale().is_none() => page(&payment),
        // The button was pressed twice.
        Some(payment) => go_on(&shared, &payment),
    }
}

fn link(shared: &Shared, token: &str) -> Option<Payment> {
    let state = shared.state();
    let payment = state.records.at_page(token);
    payment
        .filter(|payment| payment.invoice().is_some())
        .cloned()
}

fn page(payment: &Payment) -> Response {
    let text = match payment.status() {
        Status::Expired => "The time to pay with this link is over.",
        Status::InvoiceCanceled => "The merchant has canceled this link.",
        _ => return bank::page(pages::dashboard_link(payment)),
    };
    let notice = pages::notice("This link opens no payment", text, None);
    (StatusCode::CONFLICT, bank::page(notice)).into_response()
}

fn go_on(shared: &Shared, payment: &Payment) -> Response {
    match payment.sale_status() {
        Some(Status::AwaitingRedirect) => {
            Redirect::to(&bank::page_address(shared, payment)).into_response()
        }
        _ => bank::send_to(payment.return_address()),
    }
}
