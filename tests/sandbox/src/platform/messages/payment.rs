//! The bodies about payments: callbacks and status answers.
//!
//! The fields have the order of the platform. A field that a payment lacks is left out.

use std::collections::BTreeMap;

use ecommpay::ProjectKey;
use ecommpay::signature::SignError;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::codes::Code;
use super::signing::{Project, signed};
use crate::platform::records::{Change, Money, Operation, OperationType, Payment, Status};

const DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]+0000");

/// The page to which the browser must go, in a callback.
#[derive(Debug, Clone, Serialize)]
pub struct RedirectData {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The fields of a form; empty for `GET`.
    #[serde(serialize_with = "as_php_array")]
    pub body: BTreeMap<&'static str, String>,
    /// A field for internal use of the platform, always empty.
    pub encrypted: [(); 0],
    pub url: String,
}

/// PHP writes an empty object as `[]`, because it has one kind of array.
fn as_php_array<S: Serializer>(
    fields: &BTreeMap<&'static str, String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if fields.is_empty() {
        return [(); 0].serialize(serializer);
    }
    fields.serialize(serializer)
}

#[derive(Serialize, Default)]
struct Message<'a> {
    project_id: u32,
    payment: PaymentPart<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<OperationPart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operations: Option<Vec<OperationPart<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_data: Option<RedirectData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clarification_fields: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Value>,
}

#[derive(Serialize, Default)]
struct PaymentPart<'a> {
    id: &'a str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_refund_id: Option<&'a str>,
}

#[derive(Serialize)]
struct OperationPart<'a> {
    id: Option<u64>,
    #[serde(rename = "type")]
    kind: &'a str,
    status: Status,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    dates: Option<Dates>,
    request_id: &'a str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome<'a>>,
}

#[derive(Serialize)]
struct Dates {
    date: String,
    created_date: String,
}

#[derive(Serialize)]
struct Outcome<'a> {
    sum_initial: &'a Money,
    sum_converted: &'a Money,
    provider: Value,
    code: &'static str,
    message: &'static str,
}

/// A signed callback about a change.
pub fn callback(
    project: &Project,
    change: &Change,
    redirect_data: Option<RedirectData>,
) -> Result<Vec<u8>, SignError> {
    let Change { payment, operation } = change;
    let message = match payment.status() {
        Status::Error => error(change.payment_id(), operation.code),
        _ => payment_message(payment, Some(operation)),
    };
    let message = Message {
        project_id: project.id,
        payment: PaymentPart {
            merchant_refund_id: operation.merchant_refund_id.as_deref(),
            ..message.payment
        },
        operation: Some(operation_part(operation)),
        redirect_data,
        ..message
    };
    signed(&message, &project.key)
}

/// The signed answer to a status request.
pub fn status(project: &Project, payment: &Payment) -> Result<Vec<u8>, SignError> {
    let message = match (payment.status(), payment.sale()) {
        (Status::Error, Some(sale)) => error(&payment.order.payment_id, sale.code),
        _ => payment_message(payment, payment.awaiting_clarification()),
    };
    let message = Message {
        project_id: project.id,
        operations: Some(payment.operations.iter().map(operation_part).collect()),
        ..message
    };
    signed(&message, &project.key)
}

/// A signed status answer with an error and no operation.
pub fn status_error(project: &Project, payment_id: &str, code: Code) -> Result<Vec<u8>, SignError> {
    let message = Message {
        project_id: project.id,
        operations: Some(Vec::new()),
        ..error(payment_id, code)
    };
    signed(&message, &project.key)
}

/// A status answer with an error and no payment, signed with `key` if there is one.
pub fn service_error(code: Code, key: Option<&ProjectKey>) -> Result<Vec<u8>, SignError> {
    let message = json!({
        "status": "error",
        "code": code.number,
        "message": code.message,
    });
    match key {
        Some(key) => signed(&message, key),
        None => Ok(serde_json::to_vec(&message)?),
    }
}

/// A time as the platform writes it, in UTC.
pub fn date(time: OffsetDateTime) -> String {
    // Formatting cannot fail, because an `OffsetDateTime` has every part of the format.
    time.format(DATE).unwrap_or_default()
}

/// The parts that all messages about a payment have. `waiting` is the operation whose clarification is shown.
fn payment_message<'a>(payment: &'a Payment, waiting: Option<&Operation>) -> Message<'a> {
    let customer = &payment.order.customer;
    let clarification = waiting.and_then(|operation| operation.clarification.as_ref());
    Message {
        payment: PaymentPart {
            id: &payment.order.payment_id,
            kind: Some(payment.type_name()),
            status: payment.status().as_str(),
            date: Some(date(payment.date)),
            method: Some("bancontact"),
            sum: Some(payment.sum()),
            description: payment.order.description.as_deref(),
            merchant_refund_id: None,
        },
        customer: (!customer.is_empty()).then_some(customer),
        account: (payment.sale_status() == Some(Status::Success))
            .then(|| json!({"number": "BE**********1000", "type": "bancontact"})),
        clarification_fields: clarification.map(|clarification| clarification.json()),
        ..Message::default()
    }
}

/// The parts of a message about a payment in `error`: it has no sum and no date.
fn error(payment_id: &str, code: Code) -> Message<'_> {
    Message {
        payment: PaymentPart {
            id: payment_id,
            status: Status::Error.as_str(),
            ..PaymentPart::default()
        },
        errors: Some(json!([{"code": code.number, "message": code.message}])),
        ..Message::default()
    }
}

/// An operation in `error` has neither id nor sums.
fn operation_part(operation: &Operation) -> OperationPart<'_> {
    let was_started = operation.status != Status::Error;
    OperationPart {
        id: was_started.then_some(operation.id),
        kind: operation.type_name(),
        status: operation.status,
        dates: was_started.then(|| Dates {
            date: date(operation.date),
            created_date: date(operation.created),
        }),
        request_id: &operation.request_id,
        outcome: was_started.then(|| Outcome {
            sum_initial: &operation.sum_initial,
            sum_converted: &operation.sum_converted,
            provider: provider(operation),
            code: operation.code.number,
            message: operation.code.message,
        }),
    }
}

fn provider(operation: &Operation) -> Value {
    let id = match operation.kind {
        OperationType::Refund => 1169,
        _ => 1241,
    };
    if operation.status != Status::Success {
        return json!({"id": id, "payment_id": "", "auth_code": ""});
    }
    json!({
        "id": id,
        "payment_id": format!("{}", operation.id % 1_000_000_000),
        "date": date(operation.date),
        "auth_code": "",
    })
}
