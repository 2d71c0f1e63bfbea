//! Defines the rows of a report: payments and operations.

use ecommpay::fields::ProjectId;
use serde::Serialize;

use crate::model::day::Day;
use crate::model::ids::MerchantId;
use crate::model::timestamp::Timestamp;
use crate::model::{Channel, Operation, Outcome, Payment, Status};

/// The row of a payment. The amounts are in minor units.
#[derive(Debug, Serialize)]
pub struct PaymentRow<'a> {
    pub(super) day: Day,
    project_id: ProjectId,
    payment_id: &'a str,
    order_id: Option<&'a MerchantId>,
    storefront: Option<&'a str>,
    pub(super) status: Status,
    pub(super) code: Option<&'a str>,
    channel: Option<Channel>,
    pub(super) currency: Option<&'a str>,
    pub(super) amount: Option<u64>,
    pub(super) paid_amount: u64,
    refunded_amount: u64,
    pending_refund_amount: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// The row of an operation. The amount is in minor units.
#[derive(Debug, Serialize)]
pub struct OperationRow<'a> {
    pub(super) day: Day,
    project_id: ProjectId,
    payment_id: &'a str,
    order_id: Option<&'a MerchantId>,
    operation_id: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    pub(super) status: Outcome,
    platform_status: &'a str,
    pub(super) code: Option<&'a str>,
    pub(super) currency: Option<&'a str>,
    pub(super) amount: Option<u64>,
    refund_id: Option<&'a str>,
    ended_at: Option<Timestamp>,
}

/// The rows of a payment that belong to a day.
#[derive(Debug)]
pub struct Rows<'a> {
    /// The row of the payment, if it belongs to the day.
    pub payment: Option<PaymentRow<'a>>,
    /// The rows of those operations that belong to the day.
    pub operations: Vec<OperationRow<'a>>,
}

impl<'a> Rows<'a> {
    /// Returns the rows of a payment that belong to a day.
    pub fn of(payment: &'a Payment, day: Day) -> Self {
        let belongs_to_day = Day::of(payment.created_at()) == day;
        let operations = payment.operations();
        let operations = operations.filter(|(_, operation)| day_of(payment, operation) == day);
        Self {
            payment: belongs_to_day.then(|| PaymentRow::new(payment, day)),
            operations: operations
                .map(|(id, operation)| OperationRow::new(payment, id, operation, day))
                .collect(),
        }
    }
}

fn day_of(payment: &Payment, operation: &Operation) -> Day {
    Day::of(operation.ended_at().unwrap_or(payment.created_at()))
}

impl<'a> PaymentRow<'a> {
    /// The names of the fields, in order.
    pub const COLUMNS: [&'static str; 15] = [
        "day",
        "project_id",
        "payment_id",
        "order_id",
        "storefront",
        "status",
        "code",
        "channel",
        "currency",
        "amount",
        "paid_amount",
        "refunded_amount",
        "pending_refund_amount",
        "created_at",
        "updated_at",
    ];

    fn new(payment: &'a Payment, day: Day) -> Self {
        let order = payment.order();
        let status = payment.status();
        Self {
            day,
            project_id: payment.project_id(),
            payment_id: payment.payment_id(),
            order_id: order.and_then(|order| order.order_id.as_ref()),
            storefront: order.map(|order| order.storefront.as_str()),
            status,
            code: payment.decline_code(status),
            channel: payment.channel(),
            currency: payment.currency(),
            amount: order.map(|order| order.amount.get()),
            paid_amount: payment.paid_amount(),
            refunded_amount: payment.refunded_amount(),
            pending_refund_amount: payment.pending_refund_amount(),
            created_at: payment.created_at(),
            updated_at: payment.updated_at(),
        }
    }
}

impl<'a> OperationRow<'a> {
    /// The names of the fields, in order.
    pub const COLUMNS: [&'static str; 13] = [
        "day",
        "project_id",
        "payment_id",
        "order_id",
        "operation_id",
        "type",
        "status",
        "platform_status",
        "code",
        "currency",
        "amount",
        "refund_id",
        "ended_at",
    ];

    fn new(payment: &'a Payment, id: &'a str, operation: &'a Operation, day: Day) -> Self {
        let order = payment.order();
        Self {
            day,
            project_id: payment.project_id(),
            payment_id: payment.payment_id(),
            order_id: order.and_then(|order| order.order_id.as_ref()),
            operation_id: id,
            kind: operation.kind().as_str(),
            status: operation.outcome(),
            platform_status: operation.platform_status(),
            code: operation.code(),
            currency: operation.currency(),
            amount: operation.amount(),
            refund_id: operation.shown_refund_id(),
            ended_at: operation.ended_at(),
        }
    }
}
