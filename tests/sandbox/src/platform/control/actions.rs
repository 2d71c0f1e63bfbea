//! Calls that make the provider, the platform or an employee of the merchant act on a payment.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::request::{Body, Refused, check_amount};
use crate::platform::messages::codes::Code;
use crate::platform::records::{
    CURRENCY, Change, CreditingResult, FurtherSale, ManualChange, OperationType, OtherOperation,
    RefundOrder, RefundReversal, Status, read_result,
};
use crate::platform::shared::{App, PlatformState, Shared};
use crate::platform::{callbacks, gate, timers};

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
        payment_id: id,
        sum: refund.amount.map(|amount| (amount, CURRENCY.to_owned())),
        merchant_refund_id: None,
    };
    gate::refund(&shared, order, stamp)?;
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}

pub async fn reverse_refund(
    State(shared): App,
    Path((id, operation)): Path<(String, u64)>,
    Body(reversal): Body<RefundReversal>,
) -> Answer {
    act(&shared, |state| {
        let stamp = state.ids.stamp();
        let records = &mut state.records;
        records.reverse_refund(&id, operation, reversal, stamp)
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
    let begun = {
        let mut state = shared.state();
        let stamp = state.ids.stamp();
        state.records.begin_confirmation(&id, stamp)
    };
    if let Ok(begun) = begun {
        callbacks::send(&shared, begun);
    }
    act(&shared, |state| {
        let now = OffsetDateTime::now_utc();
        state.records.settle_confirmation(&id, report.result, now)
    })
}

pub async fn change_manually(
    State(shared): App,
    Path(id): Path<String>,
    Body(change): Body<ManualChange>,
) -> Answer {
    act(&shared, |state| {
        let stamp = state.ids.stamp();
        state.records.manual_change(&id, change, stamp)
    })
}

pub async fn add_sale(
    State(shared): App,
    Path(id): Path<String>,
    Body(sale): Body<FurtherSale>,
) -> Answer {
    act(&shared, |state| {
        let stamp = state.ids.stamp();
        state.records.further_sale(&id, sale, stamp)
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
    act(&shared, |state| {
        let (status, now) = (result.status, OffsetDateTime::now_utc());
        let records = &mut state.records;
        records.settle_further_sale(&id, operation, status, now)
    })
}

pub async fn add_operation(
    State(shared): App,
    Path(id): Path<String>,
    Body(operation): Body<OtherOperation>,
) -> Answer {
    act(&shared, |state| {
        let stamp = state.ids.stamp();
        state.records.other_operation(&id, operation, stamp)
    })
}

/// Makes a change, sends its callback and starts what follows it.
pub fn act(
    shared: &Arc<Shared>,
    change: impl FnOnce(&mut PlatformState) -> Result<Change, Code>,
) -> Answer {
    let change = change(&mut shared.state())?;
    let answer = json!({
        "operation_id": change.operation.id,
        "request_id": change.operation.request_id,
        "payment_status": change.payment.status(),
    });
    if change.operation.kind == OperationType::PaymentConfirmation {
        timers::reverse_sale(shared, &change);
    }
    callbacks::send(shared, change);
    Ok(Json(answer))
}
