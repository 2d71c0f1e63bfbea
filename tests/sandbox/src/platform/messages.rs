//! Builds the bodies that the platform signs: callbacks and status answers.
//!
//! The fields stand in the platform's order; only what a payment has is there.

use std::collections::BTreeMap;

use ecommpay::signature::{self, SignError};
use serde::Serialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::books::{CURRENCY, News};
use super::codes;
use super::payment::{Kind, Operation, Payment, Status};
use super::php_json;
use super::request::Project;

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
    sum: Option<Sum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_refund_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Sum {
    amount: u64,
    currency: &'static str,
}

#[derive(Serialize)]
struct OperationPart<'a> {
    id: Option<u64>,
    #[serde(rename = "type")]
    kind: &'static str,
    status: &'static str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    times: Option<Times>,
    request_id: &'a str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
}

#[derive(Serialize)]
struct Times {
    date: String,
    created_date: String,
}

#[derive(Serialize)]
struct Outcome {
    sum_initial: Sum,
    sum_converted: Sum,
    provider: Value,
    code: &'static str,
    message: &'static str,
}

/// A signed callback about a change.
pub fn callback(
    project: &Project,
    news: &News,
    redirect_data: Option<RedirectData>,
) -> Result<Vec<u8>, SignError> {
    let News { payment, operation } = news;
    let mut message = match payment.status {
        Status::Error => failed(payment),
        _ => Message {
            operation: Some(operation_part(operation)),
            ..common(payment)
        },
    };
    message.redirect_data = redirect_data;
    if operation.kind == Kind::Refund {
        message.payment.merchant_refund_id = operation.merchant_refund_id.as_deref();
    }
    sign(project, message)
}

/// The signed answer to a status request.
pub fn status(project: &Project, payment: &Payment) -> Result<Vec<u8>, SignError> {
    let mut message = match payment.status {
        Status::Error => failed(payment),
        _ => common(payment),
    };
    message.operation = None;
    message.operations = Some(payment.operations().map(operation_part).collect());
    sign(project, message)
}

/// The signed answer to a status request about a payment that nobody has heard of.
pub fn status_unknown(project: &Project, payment_id: &str) -> Result<Vec<u8>, SignError> {
    let message = Message {
        payment: PaymentPart {
            id: payment_id,
            status: Status::Error.as_str(),
            ..PaymentPart::default()
        },
        operations: Some(Vec::new()),
        errors: Some(errors(codes::NOT_FOUND)),
        ..Message::default()
    };
    sign(project, message)
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
    let canonical = signature::canonical_of(&message)?;
    message.signature = Some(project.key.sign(&canonical).to_base64());
    Ok(php_json::to_vec(&message)?)
}

fn common(payment: &Payment) -> Message<'_> {
    let customer = &payment.order.customer;
    let asked = payment.status == Status::AwaitingClarification;
    Message {
        payment: PaymentPart {
            id: &payment.order.payment_id,
            kind: Some("purchase"),
            status: payment.status.as_str(),
            date: Some(date(payment.date)),
            method: Some("bancontact"),
            sum: Some(euros(payment.left())),
            description: payment.order.description.as_deref(),
            merchant_refund_id: None,
        },
        customer: (!customer.is_empty()).then_some(customer),
        account: (payment.sale.status == Status::Success)
            .then(|| json!({"number": "BE**********1000", "type": "bancontact"})),
        clarification_fields: asked.then(|| json!({"customer": ["last_name"]})),
        ..Message::default()
    }
}

/// A payment that ended in `error` was never made: no sum, no date, no number.
fn failed(payment: &Payment) -> Message<'_> {
    Message {
        payment: PaymentPart {
            id: &payment.order.payment_id,
            status: payment.status.as_str(),
            ..PaymentPart::default()
        },
        operation: Some(operation_part(&payment.sale)),
        errors: Some(errors(payment.sale.code)),
        ..Message::default()
    }
}

fn errors(code: codes::Code) -> Value {
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
            sum_initial: euros(operation.amount),
            sum_converted: euros(operation.moved),
            provider: provider(operation),
            code: operation.code.number,
            message: operation.code.message,
        }),
    }
}

fn provider(operation: &Operation) -> Value {
    let id = match operation.kind {
        Kind::Sale => 1241,
        Kind::Refund => 1169,
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

fn euros(amount: u64) -> Sum {
    Sum {
        amount,
        currency: CURRENCY,
    }
}
