//! Shows the platform records as JSON.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::request::Refused;
use crate::platform::bank::redirect::page_url;
use crate::platform::gate::counters::no_requests;
use crate::platform::messages::date;
use crate::platform::records::{CURRENCY, Operation, Payment};
use crate::platform::shared::{App, PlatformState, Shared};

pub async fn list(State(shared): App) -> Json<Value> {
    let state = shared.state();
    let payments = state.records.payments();
    let payments: Vec<Value> = payments
        .map(|payment| record(&shared, &state, &payment.order.payment_id, Some(payment)))
        .collect();
    Json(json!({ "payments": payments }))
}

pub async fn one(State(shared): App, Path(id): Path<String>) -> Result<Json<Value>, Refused> {
    let state = shared.state();
    let payment = state.records.payment(&id);
    let is_named = state.requests.of(&id).is_some() || state.faults.has_own(&id);
    if payment.is_none() && !is_named {
        let reason = "No request and no switch has named this payment.".to_owned();
        return Err(Refused(StatusCode::NOT_FOUND, reason));
    }
    Ok(Json(record(&shared, &state, &id, payment)))
}

/// Returns the JSON of a payment. If the platform has no record of the payment, only the callbacks, requests and
/// switches have values.
fn record(shared: &Shared, state: &PlatformState, id: &str, payment: Option<&Payment>) -> Value {
    let operations = payment.map(|payment| {
        let operations = payment.operations.iter();
        let operations = operations.map(|one| operation(payment, one));
        operations.collect::<Vec<_>>()
    });
    json!({
        "id": payment.map_or(id, |payment| &payment.order.payment_id),
        "type": payment.map(Payment::type_name),
        "status": payment.map(Payment::status),
        "amount": payment.map(|payment| payment.order.amount),
        "currency": CURRENCY,
        "channel": payment.map(channel),
        "paid": payment.map(Payment::received),
        "refunded": payment.map(Payment::refunded),
        "sum": payment.map(Payment::sum),
        "money": payment.map(Payment::totals),
        "bank_page": payment.map(|payment| page_url(shared, payment)),
        "operations": operations.unwrap_or_default(),
        "callbacks": state.callbacks.of(id),
        "requests": state.requests.of(id).unwrap_or_else(no_requests),
        "faults": state.faults.of(id),
    })
}

fn channel(payment: &Payment) -> &'static str {
    match (payment.invoice(), &payment.order.page) {
        (Some(_), _) => "dashboard_link",
        (None, Some(_)) => "payment_page",
        (None, None) => "gate",
    }
}

fn operation(payment: &Payment, operation: &Operation) -> Value {
    json!({
        "id": operation.id,
        "type": operation.type_name(),
        "status": operation.status,
        "amount": operation.amount,
        "sum_initial": operation.sum_initial,
        "sum_converted": operation.sum_converted,
        "effect": payment.effect(operation),
        "original_operation": operation.original,
        "code": operation.code.number,
        "message": operation.code.message,
        "request_id": operation.request_id,
        "merchant_refund_id": operation.merchant_refund_id,
        "created_date": date(operation.created),
        "date": date(operation.date),
    })
}
