//! Lists the operations of one page of the Data API.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::query::{Query, TIME};
use crate::platform::faults::Faults;
use crate::platform::messages::Object;
use crate::platform::records::{Money, Operation, Payment, Status};
use crate::platform::shared::PlatformState;

/// Returns the operations of the page that `query` requests, sorted by the time of completion.
pub fn list(query: &Query, project_id: u32, state: &PlatformState) -> Vec<Object> {
    let completed_of = |payment| {
        let faults = state.faults.of(id_of(payment));
        let operations = payment.operations.iter();
        operations
            .filter(|operation| !operation.status.is_open() && operation.status != Status::Error)
            .filter(|operation| !faults.unlisted.contains(&operation.kind))
            .map(move |operation| (completion(operation), payment, operation, faults))
    };
    let mut completed: Vec<_> = state
        .records
        .payments()
        .flat_map(completed_of)
        .filter(|(completion, ..)| (query.from..=query.to).contains(completion))
        .collect();
    completed.sort_by_key(|(completion, _, operation, _)| (*completion, operation.id));
    let page = completed.into_iter().skip(query.offset).take(query.limit);
    page.map(|(_, payment, operation, faults)| listed(project_id, payment, operation, faults))
        .collect()
}

fn id_of(payment: &Payment) -> &str {
    &payment.order.payment_id
}

/// Returns the time of completion in whole seconds, because the platform's dates have no fractions.
fn completion(operation: &Operation) -> OffsetDateTime {
    operation.date.truncate_to_second()
}

fn listed(project_id: u32, payment: &Payment, operation: &Operation, faults: &Faults) -> Object {
    let date = |time: OffsetDateTime| time.format(TIME).unwrap_or_default();
    let sum = |shown: &Money| match faults.listed_amount {
        Some(amount) => json!(Money::euros(amount)),
        None => json!(shown),
    };
    let order = &payment.order;
    let status = payment.status().as_str();
    Object::default()
        .with("project_id", project_id)
        .with("operation_id", operation.id.to_string())
        .with("payment_id", id_of(payment))
        .with("operation_type", operation.type_name())
        .with("operation_status", operation.status.as_str())
        .with("account_number", Value::Null)
        .with("customer_ip", order.customer.get("ip_address").cloned())
        .with("payment_method_name", "bancontact")
        .with("payment_method_type", "bank_payments")
        .with("payment_description", order.description.clone())
        .with("operation_created_at", date(operation.created))
        .with("provider_date", date(operation.date))
        .with("shipment_date", Value::Null)
        .with("sum_initial", sum(&operation.sum_initial))
        .with("sum_converted", sum(&operation.sum_converted))
        .with("arn", Value::Null)
        .with("rrn", Value::Null)
        .with("payment_provider_code", operation.code.number)
        .with("payment_provider_message", operation.code.message)
        .with_some(
            "transaction_status",
            faults.list_transaction_status.then_some(status),
        )
}
