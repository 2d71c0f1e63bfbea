//! Lists operations.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::query::{Query, TIME};
use crate::platform::faults::Faults;
use crate::platform::records::{Money, Operation, Payment, Status};
use crate::platform::shared::PlatformState;

/// Lists the operations that were completed in the interval, sorted by completion.
pub fn list(query: &Query, project_id: u32, state: &PlatformState) -> Vec<Value> {
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

/// The time of completion, in whole seconds as all dates of the platform.
fn completion(operation: &Operation) -> OffsetDateTime {
    operation.date.truncate_to_second()
}

fn listed(project_id: u32, payment: &Payment, operation: &Operation, faults: &Faults) -> Value {
    let date = |time: OffsetDateTime| time.format(TIME).unwrap_or_default();
    let sum = |shown: &Money| match faults.listed_amount {
        Some(amount) => Money::euros(amount),
        None => shown.clone(),
    };
    let mut listed = json!({
        "project_id": project_id,
        "operation_id": operation.id.to_string(),
        "payment_id": id_of(payment),
        "operation_type": operation.type_name(),
        "operation_status": operation.status,
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
    if faults.list_transaction_status {
        listed["transaction_status"] = json!(payment.status());
    }
    listed
}
