//! Handles the control calls that trigger an action of the provider, the platform or an employee of the merchant.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{MethodRouter, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::request::{Body, Refused, check_amount};
use crate::platform::faults::Faults;
use crate::platform::messages::codes::Code;
use crate::platform::records::{CURRENCY, Change, CreditingResult, Payment, RefundOrder, Stamp};
use crate::platform::shared::{App, Shared};
use crate::platform::{gate, timers};

/// Returns the handler of a call that changes a payment. `B` is the body of the call.
pub fn action<B, F>(change: F) -> MethodRouter<Arc<Shared>>
where
    B: DeserializeOwned + Send + 'static,
    F: FnOnce(&mut Payment, B, Stamp) -> Result<Change, Code> + Clone + Send + Sync + 'static,
{
    post(
        move |State(shared): App, Path(id): Path<String>, Body(body)| async move {
            act(&shared, &id, |payment, _, stamp| {
                change(payment, body, stamp)
            })
        },
    )
}

/// Returns the handler of a call that changes the operation `{operation}` of a payment.
pub fn action_on_operation<B, F>(change: F) -> MethodRouter<Arc<Shared>>
where
    B: DeserializeOwned + Send + 'static,
    F: FnOnce(&mut Payment, u64, B, Stamp) -> Result<Change, Code> + Clone + Send + Sync + 'static,
{
    post(
        move |State(shared): App, Path((id, operation)): Path<(String, u64)>, Body(body)| async move {
            act(&shared, &id, |payment, _, stamp| {
                change(payment, operation, body, stamp)
            })
        },
    )
}

/// A refund in the Dashboard. A missing amount means the remaining amount.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DashboardRefund {
    amount: Option<u64>,
}

pub async fn refund(
    State(shared): App,
    Path(id): Path<String>,
    Body(refund): Body<DashboardRefund>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    refund.amount.map_or(Ok(()), check_amount)?;
    let stamp = shared.state().ids.stamp();
    let accepted = json!({"operation_id": stamp.operation_id, "request_id": stamp.request_id});
    let order = RefundOrder {
        sum: refund.amount.map(|amount| (amount, CURRENCY.to_owned())),
        merchant_refund_id: None,
    };
    gate::refund(&shared, &id, order, stamp)?;
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}

/// The provider's report about the money of a sale.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderReport {
    result: CreditingResult,
}

/// Starts the confirmation procedure unless it has already started, and applies the provider's report.
pub async fn confirm(
    State(shared): App,
    Path(id): Path<String>,
    Body(report): Body<ProviderReport>,
) -> Result<Json<Value>, Refused> {
    // If the procedure has already started, this change is refused.
    let _ = act(&shared, &id, |payment, _, stamp| {
        payment.begin_confirmation(stamp)
    });
    act(&shared, &id, |payment, _, stamp| {
        payment.settle_confirmation(report.result, stamp.now)
    })
}

/// Changes a payment and sends the callback of the change.
fn act(
    shared: &Arc<Shared>,
    payment_id: &str,
    change: impl FnOnce(&mut Payment, &Faults, Stamp) -> Result<Change, Code>,
) -> Result<Json<Value>, Refused> {
    let change = shared.state().change(payment_id, change)?;
    let answer = json!({
        "operation_id": change.operation.id,
        "request_id": change.operation.request_id,
        "payment_status": change.payment.status(),
    });
    timers::publish(shared, change);
    Ok(Json(answer))
}
