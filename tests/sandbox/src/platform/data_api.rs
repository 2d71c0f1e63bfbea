//! The Data API: the platform records by time of completion, signed with the token's own key.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use ecommpay::data_api::{OperationsGet, PAGE};
use ecommpay::json::{self, Limits, Value};
use ecommpay::signature::SignError;
use ecommpay::{ProjectKey, Signature, signature};
use serde_json::json;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

use super::faults::{Faults, ListedKind};
use super::operation::{Money, Operation, Status};
use super::payment::Payment;
use super::{Shared, World, php_json, signing};

/// The token of a user of the Dashboard, in the platform's length.
pub const TOKEN: &str = "sandboxDataApiTokenNoSecret030";
/// The token's own key.
pub const KEY: &str = "test-data-api-key";

const MOMENT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
const OFFSET: &[BorrowedFormatItem<'_>] =
    format_description!("[offset_hour sign:mandatory]:[offset_minute]");

/// The endpoints.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new().route(OperationsGet::PATH, post(operations))
}

async fn operations(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let list = || {
        let key = key()?;
        let query = Query::read(&body, shared.project.id, &key)?;
        let list = query.list(shared.project.id, &shared.state());
        signed(&list, &key).map_err(|_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, ""))
    };
    match list() {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn key() -> Result<ProjectKey, Refusal> {
    ProjectKey::new(KEY).map_err(|_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, ""))
}

fn signed(operations: &[serde_json::Value], key: &ProjectKey) -> Result<Vec<u8>, SignError> {
    let mut answer = json!({ "operations": operations });
    let signature = signing::sign(&answer, key)?;
    if let Some(members) = answer.as_object_mut() {
        members.insert("signature".into(), signature.into());
    }
    Ok(php_json::to_vec(&answer)?)
}

/// Why there is no list.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, message }
    }

    fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    fn unauthorized(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "name": self.status.canonical_reason(),
            "message": self.message,
            "code": 0,
            "status": self.status.as_u16(),
        });
        (self.status, axum::Json(body)).into_response()
    }
}

/// A request for a page of operations.
#[derive(Debug, PartialEq, Eq)]
struct Query {
    from: OffsetDateTime,
    to: OffsetDateTime,
    limit: usize,
    offset: usize,
}

/// What a request may have; the platform knows more, which is not simulated.
const FIELDS: [&str; 7] = [
    "token",
    "signature",
    "project_id",
    "interval",
    "tz",
    "limit",
    "offset",
];

impl Query {
    fn read(body: &[u8], project_id: u32, key: &ProjectKey) -> Result<Self, Refusal> {
        let message = json::parse(body, Limits::CALLBACK)
            .map_err(|error| Refusal::bad(format!("The body is not JSON: {error}.")))?;
        if message.text_at("token").as_deref() != Some(TOKEN) {
            return Err(Refusal::unauthorized("The token is not known."));
        }
        let carried = message.get("signature").and_then(Value::as_str);
        let carried = carried.and_then(Signature::from_base64);
        let canonical = signature::canonical(&message);
        if !carried.is_some_and(|carried| key.verifies(&canonical, &carried)) {
            return Err(Refusal::unauthorized("The signature is wrong."));
        }
        let Value::Object(members) = &message else {
            return Err(Refusal::bad("The body is no object."));
        };
        for (name, _) in members {
            if !FIELDS.contains(&name.as_ref()) {
                return Err(Refusal::bad(format!("The field {name} is not simulated.")));
            }
        }
        let projects = match message.get("project_id") {
            Some(Value::Array(ids)) => ids.iter().map(Value::as_u64).collect(),
            _ => Vec::new(),
        };
        if projects != [Some(project_id.into())] {
            return Err(Refusal::bad("project_id must be a list with the project."));
        }
        let zone = match message.get("tz") {
            None => UtcOffset::UTC,
            Some(zone) => zone.as_str().and_then(offset_of).ok_or_else(|| {
                Refusal::bad("tz must be UTC or an offset; others are not simulated.")
            })?,
        };
        let moment = |name| {
            let text = message.at(&["interval", name]).and_then(Value::as_str);
            let moment = text.and_then(|text| PrimitiveDateTime::parse(text, MOMENT).ok());
            let moment = moment.map(|moment| moment.assume_offset(zone));
            let why = || Refusal::bad(format!("interval.{name} must be YYYY-MM-DD hh:mm:ss."));
            moment.ok_or_else(why)
        };
        let number = |name, default: u32, range: std::ops::RangeInclusive<u64>| {
            let number = match message.get(name) {
                None => Some(u64::from(default)),
                Some(number) => number.as_u64(),
            };
            let number = number.filter(|number| range.contains(number));
            let number = number.and_then(|number| usize::try_from(number).ok());
            number.ok_or_else(|| Refusal::bad(format!("{name} is out of its range.")))
        };
        let query = Self {
            from: moment("from")?,
            to: moment("to")?,
            limit: number("limit", PAGE, 1..=PAGE.into())?,
            offset: number("offset", 0, 0..=u32::MAX.into())?,
        };
        match query.from <= query.to {
            true => Ok(query),
            false => Err(Refusal::bad("interval.from is after interval.to.")),
        }
    }

    /// The operations that have ended in the interval, in the order of their ends.
    fn list(&self, project_id: u32, state: &World) -> Vec<serde_json::Value> {
        let of_payment = |payment| {
            let faults = state.faults.of(id_of(payment));
            let operations = payment.operations.iter();
            operations
                .filter(|one| !one.status.is_open() && one.status != Status::Error)
                .filter(|one| !faults.unlisted.contains(&ListedKind::of(&one.kind)))
                .map(move |operation| (completed(operation), payment, operation, faults))
        };
        let mut ended: Vec<_> = state
            .records
            .payments()
            .flat_map(of_payment)
            .filter(|(completed, ..)| (self.from..=self.to).contains(completed))
            .collect();
        ended.sort_by_key(|(completed, _, operation, _)| (*completed, operation.id));
        let page = ended.into_iter().skip(self.offset).take(self.limit);
        page.map(|(_, payment, operation, faults)| listed(project_id, payment, operation, faults))
            .collect()
    }
}

fn id_of(payment: &Payment) -> &str {
    &payment.order.payment_id
}

/// When it ended, in whole seconds as all dates of the platform.
fn completed(operation: &Operation) -> OffsetDateTime {
    let date = operation.date;
    date.replace_nanosecond(0).unwrap_or(date)
}

fn offset_of(zone: &str) -> Option<UtcOffset> {
    match zone {
        "UTC" => Some(UtcOffset::UTC),
        offset => UtcOffset::parse(offset, OFFSET).ok(),
    }
}

fn listed(
    project_id: u32,
    payment: &Payment,
    operation: &Operation,
    faults: &Faults,
) -> serde_json::Value {
    let date = |moment: OffsetDateTime| moment.format(MOMENT).unwrap_or_default();
    let sum = |shown: &Money| match faults.listed_amount {
        Some(amount) => Money::euros(amount),
        None => shown.clone(),
    };
    let mut listed = json!({
        "project_id": project_id,
        "operation_id": operation.id.to_string(),
        "payment_id": id_of(payment),
        "operation_type": operation.kind.as_str(),
        "operation_status": operation.status.as_str(),
        "account_number": null,
        "customer_ip": payment.order.customer.get("ip_address"),
        "payment_method_name": "bancontact",
        "payment_method_type": "bank_payments",
        "payment_description": payment.order.description,
        "operation_created_at": date(operation.created),
        "provider_date": date(operation.date),
        "shipment_date": null,
        "sum_initial": sum(&operation.sum_initial),
        "sum_converted": sum(&operation.sum_converted),
        "arn": null,
        "rrn": null,
        "payment_provider_code": operation.code.number,
        "payment_provider_message": operation.code.message,
    });
    if let Some(members) = listed
        .as_object_mut()
        .filter(|_| faults.list_transaction_status)
    {
        let status = payment.status().as_str();
        members.insert("transaction_status".into(), status.into());
    }
    listed
}
