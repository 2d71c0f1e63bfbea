//! Reads the operations that a report lists.
//!
//! Sources ([list](crate::sources)): Gate, status; Callbacks.

use super::sum::Sum;
use crate::json::Value;
use crate::operation::{OperationType, Outcome};

/// One operation of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The platform's id of the operation, a number as the message writes it; absent in errors.
    pub id: Option<String>,
    /// The type of the operation.
    pub kind: OperationType,
    /// `operation.status`, even if the status is undocumented.
    pub status: String,
    /// `operation.date`: a UTC time in the platform's form.
    pub date: Option<String>,
    /// `operation.created_date`; only status answers have this field.
    pub created_date: Option<String>,
    /// The same as `request_id` of Gate's answer to the request.
    pub request_id: Option<String>,
    /// The requested amount of this operation: `sum_initial`, or `sum` if the message has no readable `sum_initial`.
    pub sum_initial: Option<Sum>,
    /// The amount that the provider moved.
    pub sum_converted: Option<Sum>,
    /// A code of the platform's unified list.
    pub code: Option<String>,
    /// The platform's message.
    pub message: Option<String>,
    /// The merchant's id of a refund: `merchant_refund_id` of the operation, or of `payment` in a callback.
    pub merchant_refund_id: Option<String>,
}

impl Operation {
    /// Returns the outcome that follows from the type and the status.
    pub fn outcome(&self) -> Outcome {
        self.kind.outcome(&self.status)
    }
}

/// Reads `operation` and `operations` of a message. Skips an operation without a type or a status.
///
/// In a callback, `payment.merchant_refund_id` belongs to `operation`. In a status answer, `payment.merchant_refund_id`
/// belongs to the last operation. Therefore this id is not copied to the operations of the list.
pub(super) fn operations(message: &Value<'_>, merchant_refund_id: Option<&str>) -> Vec<Operation> {
    let single = message
        .get("operation")
        .and_then(|value| operation(value, merchant_refund_id));
    let several = message
        .get("operations")
        .map(Value::elements)
        .unwrap_or_default();
    let several = several.iter().filter_map(|value| operation(value, None));
    single.into_iter().chain(several).collect()
}

pub(super) fn has_complete_list(message: &Value<'_>) -> bool {
    let listed = message.get("operations").map(Value::elements);
    let has_id = |value| operation(value, None).is_some_and(|operation| operation.id.is_some());
    listed.is_some_and(|listed| !listed.is_empty() && listed.iter().all(has_id))
}

fn operation(value: &Value<'_>, merchant_refund_id: Option<&str>) -> Option<Operation> {
    let kind = OperationType::from(value.text_at("type")?);
    let is_of_refund = kind.is_about_refund();
    let sum = |name: &str| Sum::read(value.get(name)?);
    Some(Operation {
        id: value.id_at("id"),
        status: value.text_at("status")?,
        date: value.text_at("date"),
        created_date: value.text_at("created_date"),
        request_id: value.id_at("request_id"),
        sum_initial: sum("sum_initial").or_else(|| sum("sum")),
        sum_converted: sum("sum_converted"),
        code: value.text_at("code"),
        message: value.text_at("message"),
        merchant_refund_id: value
            .id_at("merchant_refund_id")
            .or_else(|| merchant_refund_id.map(str::to_owned))
            .filter(|_| is_of_refund),
        kind,
    })
}
