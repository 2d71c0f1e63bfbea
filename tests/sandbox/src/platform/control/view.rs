//! The platform record of a payment as JSON.

use serde_json::{Value, json};

use super::super::operation::{CURRENCY, Operation};
use super::super::payment::Payment;
use super::super::{Shared, World, bank, messages};

/// Everything about a payment: its record, its callbacks, its requests and its switches.
pub fn view(shared: &Shared, state: &World, id: &str, payment: Option<&Payment>) -> Value {
    let operations: Vec<Value> = payment
        .map(|payment| {
            let operations = payment.operations.iter();
            operations.map(|one| operation(payment, one)).collect()
        })
        .unwrap_or_default();
    json!({
        "id": payment.map_or(id, |payment| &payment.order.payment_id),
        "type": payment.map(Payment::type_name),
        "status": payment.map(|payment| payment.status().as_str()),
        "amount": payment.map(|payment| payment.order.amount),
        "currency": CURRENCY,
        "channel": payment.map(channel),
        "paid": payment.map(Payment::came),
        "refunded": payment.map(Payment::refunded),
        "sum": payment.map(Payment::sum),
        "money": payment.map(Payment::totals),
        "bank_page": payment.map(|payment| bank::page_address(shared, payment)),
        "operations": operations,
        "callbacks": state.callbacks.of(id),
        "requests": state.requests.of(id).unwrap_or_default(),
        "faults": state.faults.of(id),
    })
}

fn channel(payment: &Payment) -> &'static str {
    match (payment.invoice(), &payment.order.link) {
        (Some(_), _) => "dashboard_link",
        (None, Some(_)) => "payment_page",
        (None, None) => "gate",
    }
}

fn operation(payment: &Payment, operation: &Operation) -> Value {
    json!({
        "id": operation.id,
        "type": operation.kind.as_str(),
        "status": operation.status.as_str(),
        "amount": operation.amount,
        "sum_initial": operation.sum_initial,
        "sum_converted": operation.sum_converted,
        "effect": payment.effect(operation),
        "about": operation.about,
        "code": operation.code.number,
        "message": operation.code.message,
        "request_id": operation.request_id,
        "merchant_refund_id": operation.merchant_refund_id,
        "created_date": messages::date(operation.created),
        "date": messages::date(operation.date),
    })
}
