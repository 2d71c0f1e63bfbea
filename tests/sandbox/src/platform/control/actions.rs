//! Calls that make the provider, the platform or an employee of the merchant act on a payment.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::request::{Body, Refused, check_amount};
use crate::platform::faults::Faults;
use crate::platform::messages::codes::Code;
use crate::platform::records::{
    CURRENCY, Change, CreditingResult, FurtherSale, ManualChange, OtherOperation, Payment,
    RefundOrder, RefundReversal, Stamp, Status, read_result,
};
use crate::platform::shared::{App, Shared};
use crate::platform::{gate, timers};

/// The answer to a call that changes a payment.
pub type Answer = Result<Json<Value>, Refused>;

/// A refund in the Dashboard. Without an amount it refunds everything that remains.
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

pub async fn reverse_refund(
    State(shared): App,
    Path((id, operation)): Path<(String, u64)>,
    Body(reversal): Body<RefundReversal>,
) -> Answer {
    act(&shared, &id, |payment, _, stamp| {
        payment.reverse_refund(operation, reversal, stamp)
    })
}

/// The provider's report about the money of a sale.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderReport {
    result: CreditingResult,
}

pub async fn confirm(
    State(shared): App,
    Path(id): Path<String>,
    Body(report): Body<ProviderReport>,
) -> Answer {
    let begin = |payment: &mut Payment, _: &Faults, stamp| payment.begin_confirmation(stamp);
    let begun = shared.state().change(&id, begin);
    if let Ok(change) = begun {
        timers::publish(&shared, change);
    }
    act(&shared, &id, |payment, _, stamp| {
        payment.settle_confirmation(report.result, stamp.now)
    })
}

pub async fn change_manually(
    State(shared): App,
    Path(id): Path<String>,
    Body(change): Body<ManualChange>,
) -> Answer {
    act(&shared, &id, |payment, _, stamp| {
        payment.change_manually(change, stamp)
    })
}

pub async fn add_sale(
    State(shared): App,
    Path(id): Path<String>,
    Body(sale): Body<FurtherSale>,
) -> Answer {
    act(&shared, &id, |payment, _, stamp| {
        payment.add_sale(sale, stamp)
    })
}

/// The result of a further sale.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaleResult {
    #[serde(deserialize_with = "read_result")]
    status: Status,
}

pub async fn settle_sale(
    State(shared): App,
    Path((id, operation)): Path<(String, u64)>,
    Body(result): Body<SaleResult>,
) -> Answer {
    act(&shared, &id, |payment, _, stamp| {
        payment.settle_added_sale(operation, result.status, stamp.now)
    })
}

pub async fn add_operation(
    State(shared): App,
    Path(id): Path<String>,
    Body(operation): Body<OtherOperation>,
) -> Answer {
    act(&shared, &id, |payment, _, stamp| {
        payment.add_other(operation, stamp)
    })
}

/// Changes a payment and publishes the change.
pub fn act(
    shared: &Arc<Shared>,
    payment_id: &str,
    change: impl FnOnce(&mut Payment, &Faults, Stamp) -> Result<Change, Code>,
) -> Answer {
    let change = shared.state().change(payment_id, change)?;
    let answer = json!({
        "operation_id": change.operation.id,
        "request_id": change.operation.request_id,
        "payment_status": change.payment.status(),
    });
    timers::publish(shared, change);
    Ok(Json(answer))
}
