//! Makes callbacks and status answers. Their members have the same order as on the real platform.

use ecommpay::ProjectKey;
use ecommpay::signature::SignError;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::codes::Code;
use super::object::{Member, Object};
use super::signing::{Project, signed};
use crate::platform::records::{Change, Operation, OperationType, Payment, Status};

const DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]+0000");

pub fn callback(
    project: &Project,
    change: &Change,
    redirect_data: Option<Object>,
) -> Result<Vec<u8>, SignError> {
    let Change { payment, operation } = change;
    let refund_id = operation.merchant_refund_id.clone();
    let part = payment_part(payment).with_some("merchant_refund_id", refund_id);
    let operations = ("operation", operation_part(operation).into());
    let message = message(
        project,
        part,
        payment,
        operations,
        Some(operation),
        redirect_data,
    );
    signed(message, &project.key)
}

pub fn status(project: &Project, payment: &Payment) -> Result<Vec<u8>, SignError> {
    let operations = payment.operations.iter().map(operation_part);
    let operations = ("operations", Member::List(operations.collect()));
    let shown = match payment.status() {
        Status::Error => payment.sale(),
        _ => payment.awaiting_clarification(),
    };
    let part = payment_part(payment);
    let message = message(project, part, payment, operations, shown, None);
    signed(message, &project.key)
}

pub fn status_error(project: &Project, payment_id: &str, code: Code) -> Result<Vec<u8>, SignError> {
    let message = Object::default()
        .with("project_id", project.id)
        .with("payment", payment_in_error(payment_id))
        .with("operations", json!([]))
        .with("errors", errors(code));
    signed(message, &project.key)
}

/// Signs the answer if `key` is set.
pub fn service_error(code: Code, key: Option<&ProjectKey>) -> Result<Vec<u8>, SignError> {
    let message = Object::default()
        .with("status", "error")
        .with("code", code.number)
        .with("message", code.message);
    match key {
        Some(key) => signed(message, key),
        None => Ok(serde_json::to_vec(&message)?),
    }
}

/// Returns a UTC time in the platform's format.
pub fn date(time: OffsetDateTime) -> String {
    // Every `OffsetDateTime` has all parts of the format, so formatting cannot fail.
    time.format(DATE).unwrap_or_default()
}

/// `shown` is the operation whose clarification or error the message shows.
fn message(
    project: &Project,
    part: Object,
    payment: &Payment,
    (name, operations): (&'static str, Member),
    shown: Option<&Operation>,
    redirect_data: Option<Object>,
) -> Object {
    let message = Object::default()
        .with("project_id", project.id)
        .with("payment", part);
    if payment.status() == Status::Error {
        let message = message.with(name, operations);
        return message.with_some("errors", shown.map(|operation| errors(operation.code)));
    }
    let customer = &payment.order.customer;
    let customer = (!customer.is_empty()).then(|| customer.clone());
    let account = (payment.sale_status() == Some(Status::Success))
        .then(|| json!({"number": "BE**********1000", "type": "bancontact"}));
    let clarification = shown.and_then(|operation| operation.clarification.as_ref());
    message
        .with_some("customer", customer)
        .with(name, operations)
        .with_some("account", account)
        .with_some("redirect_data", redirect_data)
        .with_some(
            "clarification_fields",
            clarification.map(|clarification| clarification.json()),
        )
}

fn payment_part(payment: &Payment) -> Object {
    let order = &payment.order;
    if payment.status() == Status::Error {
        return payment_in_error(&order.payment_id);
    }
    Object::default()
        .with("id", order.payment_id.as_str())
        .with("type", payment.type_name())
        .with("status", payment.status().as_str())
        .with("date", date(payment.date))
        .with("method", "bancontact")
        .with("sum", json!(payment.sum()))
        .with_some("description", order.description.clone())
}

/// After an error, a payment has neither sum nor date.
fn payment_in_error(payment_id: &str) -> Object {
    Object::default()
        .with("id", payment_id)
        .with("status", Status::Error.as_str())
}

/// After an error, an operation has neither id nor sums.
fn operation_part(operation: &Operation) -> Object {
    let (kind, status) = (operation.type_name(), operation.status);
    let was_started = status != Status::Error;
    let part = Object::default()
        .with("id", was_started.then_some(operation.id))
        .with("type", kind)
        .with("status", status.as_str());
    if !was_started {
        return part.with("request_id", operation.request_id.as_str());
    }
    part.with("date", date(operation.date))
        .with("created_date", date(operation.created))
        .with("request_id", operation.request_id.as_str())
        .with("sum_initial", json!(operation.sum_initial))
        .with("sum_converted", json!(operation.sum_converted))
        .with("provider", provider(operation))
        .with("code", operation.code.number)
        .with("message", operation.code.message)
}

fn provider(operation: &Operation) -> Object {
    let is_done = operation.status == Status::Success;
    let id = match operation.kind {
        OperationType::Refund => 1169,
        _ => 1241,
    };
    let payment_id = match is_done {
        true => (operation.id % 1_000_000_000).to_string(),
        false => String::new(),
    };
    Object::default()
        .with("id", id)
        .with("payment_id", payment_id)
        .with_some("date", is_done.then(|| date(operation.date)))
        .with("auth_code", "")
}

fn errors(code: Code) -> Value {
    json!([{"code": code.number, "message": code.message}])
}
