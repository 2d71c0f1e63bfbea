//! Calls that make the provider, the platform or its Dashboard act on a payment.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;

use super::super::codes::{self, Code};
use super::super::faults::CreditingResult;
use super::super::operation::{CURRENCY, Kind, Status};
use super::super::order::RefundOrder;
use super::super::records::{Change, ManualChange, OtherOperation};
use super::super::{Shared, World, callbacks, flow, gate};
use super::{impossible, read, refuse, sentence};

/// The locked state.
type Locked<'a> = std::sync::MutexGuard<'a, World>;

/// A refund in the Dashboard: the whole rest without an amount.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DashboardRefund {
    amount: Option<u64>,
}

pub async fn refund(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let wanted: DashboardRefund = match read(&body) {
        Ok(wanted) => wanted,
        Err(error) => return refuse(error),
    };
    if wanted.amount == Some(0) {
        return no_amount();
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
        Err(code) => impossible(code),
    }
}

/// A refund that is taken back; all that is left of it without an amount.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundReverse {
    amount: Option<u64>,
    #[serde(default)]
    with_merchant_refund_id: bool,
}

pub async fn reverse_refund(
    State(shared): State<Arc<Shared>>,
    Path((id, operation)): Path<(String, u64)>,
    body: Bytes,
) -> Response {
    act(&shared, &body, |state, wanted: RefundReverse| {
        let marks = state.ids.marks("");
        let keep_id = wanted.with_merchant_refund_id;
        let records = &mut state.records;
        records.reverse_refund(&id, operation, wanted.amount, keep_id, marks)
    })
}

/// The provider's report about the money of a sale.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    result: CreditingResult,
}

pub async fn confirmation(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    if let Err(error) = read::<Confirmation>(&body) {
        return refuse(error);
    }
    let begun = {
        let mut state = shared.state();
        let marks = state.ids.marks("");
        state.records.begin_confirmation(&id, marks)
    };
    if let Some(begun) = begun {
        callbacks::send(&shared, begun);
    }
    act(&shared, &body, |state, wanted: Confirmation| {
        let crediting = wanted.result.crediting().ok_or(codes::STATUS_FORBIDS)?;
        let now = OffsetDateTime::now_utc();
        state.records.settle_confirmation(&id, crediting, now)
    })
}

/// The end of a held payment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManualSettlement {
    result: End,
    amount: Option<u64>,
    #[serde(default)]
    decline_sale: bool,
}

/// The end of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum End {
    Success,
    Decline,
}

impl End {
    fn status(self) -> Status {
        match self {
            End::Success => Status::Success,
            End::Decline => Status::Decline,
        }
    }
}

pub async fn manual_change(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    act(&shared, &body, |state, wanted: ManualSettlement| {
        let marks = state.ids.marks("");
        let change = ManualChange {
            status: wanted.result.status(),
            amount: wanted.amount,
            declines_sale: wanted.decline_sale,
        };
        state.records.manual_change(&id, change, marks)
    })
}

/// The status of an operation that begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Begin {
    #[default]
    Success,
    Processing,
    Decline,
}

impl Begin {
    fn status(self) -> Status {
        match self {
            Begin::Success => Status::Success,
            Begin::Processing => Status::Processing,
            Begin::Decline => Status::Decline,
        }
    }
}

/// A further sale in the same payment: the ordered amount without another one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FurtherSale {
    amount: Option<u64>,
    #[serde(default)]
    status: Begin,
}

pub async fn further_sale(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    act(&shared, &body, |state, wanted: FurtherSale| {
        let request_id = state.ids.request();
        let marks = state.ids.marks(&request_id);
        let status = wanted.status.status();
        let records = &mut state.records;
        records.further_sale(&id, wanted.amount, status, marks)
    })
}

/// The end of a further sale that was left in `processing`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SaleEnd {
    status: End,
}

pub async fn end_further_sale(
    State(shared): State<Arc<Shared>>,
    Path((id, operation)): Path<(String, u64)>,
    body: Bytes,
) -> Response {
    act(&shared, &body, |state, wanted: SaleEnd| {
        let (status, now) = (wanted.status.status(), OffsetDateTime::now_utc());
        state.records.end_further_sale(&id, operation, status, now)
    })
}

/// An operation of any other type.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OtherType {
    #[serde(rename = "type")]
    name: String,
    amount: Option<u64>,
    #[serde(default)]
    status: Begin,
    #[serde(default)]
    takes_money: bool,
}

pub async fn other_operation(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    act(&shared, &body, |state, wanted: OtherType| {
        let request_id = state.ids.request();
        let other = OtherOperation {
            name: wanted.name,
            amount: wanted.amount,
            status: wanted.status.status(),
            takes_money: wanted.takes_money,
        };
        if other.name.is_empty() || OWN_CALLS.iter().any(|kind| kind.as_str() == other.name) {
            return Err(codes::STATUS_FORBIDS);
        }
        let marks = state.ids.marks(&request_id);
        state.records.other_operation(&id, other, marks)
    })
}

/// The types that have calls or requests of their own.
const OWN_CALLS: [Kind; 7] = [
    Kind::Sale,
    Kind::Refund,
    Kind::RefundReverse,
    Kind::Confirmation,
    Kind::Reversal,
    Kind::ManualChange,
    Kind::Invoice,
];

/// Makes a change at once, sends its callback and begins what follows it.
pub fn act<T: serde::de::DeserializeOwned>(
    shared: &Arc<Shared>,
    body: &[u8],
    change: impl FnOnce(&mut Locked<'_>, T) -> Result<Change, Code>,
) -> Response {
    let wanted: T = match read(body) {
        Ok(wanted) => wanted,
        Err(error) => return refuse(error),
    };
    let changed = change(&mut shared.state(), wanted);
    match changed {
        Err(code) => impossible(code),
        Ok(change) => {
            let done = json!({
                "operation_id": change.operation.id,
                "request_id": change.operation.request_id,
                "payment_status": change.payment.status().as_str(),
            });
            if change.operation.kind == Kind::Confirmation {
                flow::confirmation_declined(shared, &change);
            }
            callbacks::send(shared, change);
            Json(done).into_response()
        }
    }
}

/// The answer to an amount of nothing.
pub fn no_amount() -> Response {
    sentence(StatusCode::BAD_REQUEST, "The amount must be at least 1.")
}
