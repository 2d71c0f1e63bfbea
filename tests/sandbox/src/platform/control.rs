//! The API for whoever drives the simulation: the books, the switches, the Dashboard's refunds.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::books::CURRENCY;
use super::faults::Faults;
use super::payment::{Operation, Payment, RefundOrder, Status};
use super::{Shared, World, bank, codes, gate, messages, pages};

/// The start page and everything under `/simulator`.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(start))
        .route("/simulator/payments", get(list))
        .route("/simulator/payments/{id}", get(one))
        .route("/simulator/payments/{id}/refunds", post(refund))
        .route(
            "/simulator/payments/{id}/faults",
            get(faults_of).put(set_faults_of),
        )
        .route("/simulator/faults", get(faults).put(set_faults))
}

async fn start(State(shared): State<Arc<Shared>>) -> Html<String> {
    Html(pages::start(shared.project.id, shared.clock_speed).into_string())
}

async fn list(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let state = shared.state();
    let payments = state.books.payments();
    let payments: Vec<Value> = payments
        .map(|payment| view(&shared, &state, &payment.order.payment_id, Some(payment)))
        .collect();
    Json(json!({ "payments": payments }))
}

async fn one(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let state = shared.state();
    let payment = state.books.payment(&id);
    let heard_of = state.requests.of(&id).is_some() || state.faults.own(&id).is_some();
    if payment.is_none() && !heard_of {
        return sentence(StatusCode::NOT_FOUND, "Nobody has named such a payment.");
    }
    Json(view(&shared, &state, &id, payment)).into_response()
}

async fn faults(State(shared): State<Arc<Shared>>) -> Json<Faults> {
    Json(shared.state().faults.defaults.clone())
}

async fn set_faults(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    read(&body).map_or_else(refuse, |faults: Faults| {
        shared.state().faults.defaults = faults.clone();
        Json(faults).into_response()
    })
}

async fn faults_of(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Json<Faults> {
    Json(shared.state().faults.of(&id).clone())
}

async fn set_faults_of(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    read(&body).map_or_else(refuse, |faults: Faults| {
        shared.state().faults.set(&id, faults.clone());
        Json(faults).into_response()
    })
}

/// A refund in the Dashboard: the whole rest without an amount.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DashboardRefund {
    amount: Option<u64>,
}

async fn refund(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let wanted: DashboardRefund = match read(&body) {
        Ok(wanted) => wanted,
        Err(error) => return refuse(error),
    };
    if wanted.amount == Some(0) {
        return sentence(StatusCode::BAD_REQUEST, "The amount must be at least 1.");
    }
    let request_id = shared.state().ids.request();
    let order = RefundOrder {
        payment_id: id,
        sum: wanted.amount.map(|amount| (amount, CURRENCY.to_owned())),
        merchant_refund_id: None,
    };
    match gate::refund(&shared, order, &request_id) {
        Ok(operation_id) => {
            let taken = json!({"operation_id": operation_id, "request_id": request_id});
            (StatusCode::ACCEPTED, Json(taken)).into_response()
        }
        Err(code) if code == codes::NOT_FOUND => sentence(StatusCode::NOT_FOUND, code.message),
        Err(code) => sentence(StatusCode::CONFLICT, code.message),
    }
}

fn view(shared: &Shared, state: &World, id: &str, payment: Option<&Payment>) -> Value {
    let operations: Vec<Value> = payment
        .map(|payment| payment.operations().map(operation).collect())
        .unwrap_or_default();
    json!({
        "id": payment.map_or(id, |payment| &payment.order.payment_id),
        "status": payment.map(|payment| payment.status.as_str()),
        "amount": payment.map(|payment| payment.order.amount),
        "currency": CURRENCY,
        "channel": payment.map(|payment| match payment.order.link {
            None => "gate",
            Some(_) => "payment_page",
        }),
        "paid": payment.map(|payment| {
            if payment.sale.status == Status::Success { payment.sale.moved } else { 0 }
        }),
        "refunded": payment.map(Payment::refunded),
        "bank_page": payment.map(|payment| bank::page_address(shared, payment)),
        "operations": operations,
        "callbacks": state.mail.of(id),
        "requests": state.requests.of(id).unwrap_or_default(),
        "faults": state.faults.of(id),
    })
}

fn operation(operation: &Operation) -> Value {
    json!({
        "id": operation.id,
        "type": operation.kind.as_str(),
        "status": operation.status.as_str(),
        "amount": operation.amount,
        "code": operation.code.number,
        "message": operation.code.message,
        "request_id": operation.request_id,
        "merchant_refund_id": operation.merchant_refund_id,
        "created_date": messages::date(operation.created),
        "date": messages::date(operation.date),
    })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(body)
}

fn refuse(error: serde_json::Error) -> Response {
    sentence(
        StatusCode::BAD_REQUEST,
        &format!("This was not understood: {error}."),
    )
}

fn sentence(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({"error": text}))).into_response()
}
