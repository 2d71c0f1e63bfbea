//! The control API: reads the platform records, sets the switches, and makes the platform or the Dashboard act.

mod actions;
mod links;
mod view;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::codes::{self, Code};
use super::faults::Faults;
use super::{Shared, start_page};
use view::view;

/// The start page and everything under `/simulator`.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(start))
        .route("/simulator/payments", get(list))
        .route("/simulator/payments/{id}", get(one))
        .route("/simulator/payments/{id}/refunds", post(actions::refund))
        .route(
            "/simulator/payments/{id}/refunds/{operation}/reverse",
            post(actions::reverse_refund),
        )
        .route(
            "/simulator/payments/{id}/confirmation",
            post(actions::confirmation),
        )
        .route(
            "/simulator/payments/{id}/manual-change",
            post(actions::manual_change),
        )
        .route(
            "/simulator/payments/{id}/sales",
            post(actions::further_sale),
        )
        .route(
            "/simulator/payments/{id}/sales/{operation}",
            post(actions::end_further_sale),
        )
        .route(
            "/simulator/payments/{id}/operations",
            post(actions::other_operation),
        )
        .route("/simulator/links", post(links::create))
        .route("/simulator/payments/{id}/link", post(links::enter))
        .route(
            "/simulator/payments/{id}/faults",
            get(faults_of).put(set_faults_of),
        )
        .route("/simulator/faults", get(faults).put(set_faults))
}

async fn start(State(shared): State<Arc<Shared>>) -> Html<String> {
    Html(start_page::page(shared.project.id, shared.clock_speed).into_string())
}

async fn list(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let state = shared.state();
    let payments = state.records.payments();
    let payments: Vec<Value> = payments
        .map(|payment| view(&shared, &state, &payment.order.payment_id, Some(payment)))
        .collect();
    Json(json!({ "payments": payments }))
}

async fn one(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let state = shared.state();
    let payment = state.records.payment(&id);
    let is_known = state.requests.of(&id).is_some() || state.faults.own(&id).is_some();
    if payment.is_none() && !is_known {
        return sentence(StatusCode::NOT_FOUND, "No request has named this payment.");
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

/// Reads a body; an empty one is an empty object.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(if body.is_empty() { b"{}" } else { body })
}

/// The answer to a call that the state of the payment does not allow.
fn impossible(code: Code) -> Response {
    let status = match code {
        codes::NOT_FOUND => StatusCode::NOT_FOUND,
        _ => StatusCode::CONFLICT,
    };
    sentence(status, code.message)
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
