//! Builds the bodies that the platform signs: callbacks and status answers.
//!
//! The fields stand in the platform's order; only what a payment has is there.

use std::collections::BTreeMap;

use ecommpay::ProjectKey;
use ecommpay::signature::SignError;
use serde::Serialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::clarification::Question;
use super::codes::Code;
use super::operation::{Kind, Money, Operation, Status};
use super::payment::Payment;
use super::records::Change;
use super::request::Project;
use super::{php_json, signing};

const DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]+0000");

/// Where the browser must go, as a callback says it.
#[derive(Debug, Clone, Serialize)]
pub struct RedirectData {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The fields of a form; none on `GET`.
    #[serde(serialize_with = "php_array")]
    pub body: BTreeMap<&'static str, String>,
    /// A service field of the platform, always empty.
    pub encrypted: [(); 0],
    /// The bank's page.
    pub url: String,
}

/// PHP has one kind of array: an empty object is spelt `[]`.
fn php_array<S: serde::Serializer>(
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
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
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
    status: &'static str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    times: Option<Times>,
    request_id: &'a str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome<'a>>,
}

#[derive(Serialize)]
struct Times {
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
    let mut message = match payment.status() {
        Status::Error => failed(payment, operation),
        _ => Message {
            operation: Some(operation_part(operation)),
            ..common(payment, Some(operation))
        },
    };
    message.redirect_data = redirect_data;
    message.payment.merchant_refund_id = operation.merchant_refund_id.as_deref();
    sign(project, message)
}

/// The signed answer to a status request.
pub fn status(project: &Project, payment: &Payment) -> Result<Vec<u8>, SignError> {
    let mut message = match (payment.status(), payment.sale()) {
        (Status::Error, Some(sale)) => failed(payment, sale),
        _ => common(payment, payment.asking()),
    };
    message.operation = None;
    message.operations = Some(payment.operations.iter().map(operation_part).collect());
    sign(project, message)
}

/// A signed status answer about a payment that the platform does not know, or cannot read now.
pub fn status_error(project: &Project, payment_id: &str, code: Code) -> Result<Vec<u8>, SignError> {
    let message = Message {
        payment: PaymentPart {
            id: payment_id,
            status: Status::Error.as_str(),
            ..PaymentPart::default()
        },
        operations: Some(Vec::new()),
        errors: Some(errors(code)),
        ..Message::default()
    };
    sign(project, message)
}

/// The same without a payment, signed with `key` or not at all.
pub fn service_error(code: Code, key: Option<&ProjectKey>) -> Result<Vec<u8>, SignError> {
    let mut message = json!({
        "status": "error",
        "code": code.number,
        "message": code.message,
    });
    let signature = key.map(|key| signing::sign(&message, key)).transpose()?;
    if let (Some(signature), Some(members)) = (signature, message.as_object_mut()) {
        members.insert("signature".into(), signature.into());
    }
    Ok(php_json::to_vec(&message)?)
}

/// A body changed after it was signed: ten times the amount and more, or other words.
pub fn tampered(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let changed = if text.contains("\"amount\":") {
        text.replacen("\"amount\":", "\"amount\":9", 1)
    } else {
        text.replacen("\"message\":\"", "\"message\":\"Not ", 1)
    };
    changed.into_bytes()
}

/// A time as the platform writes it, in UTC.
pub fn date(time: OffsetDateTime) -> String {
    // The format has no part that a time can lack.
    time.format(DATE).unwrap_or_default()
}

fn sign(project: &Project, mut message: Message<'_>) -> Result<Vec<u8>, SignError> {
    message.project_id = project.id;
    message.signature = Some(signing::sign(&message, &project.key)?);
    Ok(php_json::to_vec(&message)?)
}

/// The parts that all messages about a payment have; `asking` is the operation whose question is shown.
fn common<'a>(payment: &'a Payment, asking: Option<&Operation>) -> Message<'a> {
    let customer = &payment.order.customer;
    let question = asking.and_then(|operation| operation.question.as_ref());
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
        clarification_fields: question.map(Question::json),
        ..Message::default()
    }
}

/// A payment that ended in `error` was never made: no sum, no date, no number.
fn failed<'a>(payment: &'a Payment, sale: &'a Operation) -> Message<'a> {
    Message {
        payment: PaymentPart {
            id: &payment.order.payment_id,
            status: Status::Error.as_str(),
            ..PaymentPart::default()
        },
        operation: Some(operation_part(sale)),
        errors: Some(errors(sale.code)),
        ..Message::default()
    }
}

fn errors(code: Code) -> Value {
    json!([{"code": code.number, "message": code.message}])
}

fn operation_part(operation: &Operation) -> OperationPart<'_> {
    let made = operation.status != Status::Error;
    OperationPart {
        id: made.then_some(operation.id),
        kind: operation.kind.as_str(),
        status: operation.status.as_str(),
        times: made.then(|| Times {
            date: date(operation.date),
            created_date: date(operation.created),
        }),
        request_id: &operation.request_id,
        outcome: made.then(|| Outcome {
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
        Kind::Refund => 1169,
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
