//! What storefronts and events may see of a payment: everything but personal data.

use std::borrow::Cow;
use std::collections::BTreeSet;

use ecommpay::codes::ResultCode;
use ecommpay::fields::{Currency, MinorUnits};
use serde::Serialize;

use crate::ids::MerchantId;
use crate::payment::{
    Channel, Difference, Discrepancy, Entry, Operation, Outcome, Payment, QuarantineReason, Refund,
    RefundStatus, Status,
};
use crate::timestamp::Timestamp;

/// A payment, as `GET /payments/{payment_id}` and the `data` of events show it.
#[derive(Debug, Serialize)]
pub struct PaymentView<'a> {
    payment_id: &'a str,
    order_id: Option<&'a MerchantId>,
    status: Status,
    platform_status: Option<&'a str>,
    sequence: u64,
    amount: Option<MinorUnits>,
    currency: Option<Currency>,
    channel: Option<Channel>,
    paid_amount: u64,
    refunded_amount: u64,
    pending_refund_amount: u64,
    refundable_amount: u64,
    operations: Vec<OperationView<'a>>,
    refunds: Vec<RefundView<'a>>,
    quarantine: Option<BTreeSet<QuarantineReason>>,
    decline: Option<DeclineView<'a>>,
    clarification_fields: &'a [String],
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> PaymentView<'a> {
    /// Shows a payment.
    pub fn new(payment: &'a Payment) -> Self {
        let order = payment.order.as_ref();
        let status = payment.status();
        Self {
            payment_id: &payment.payment_id,
            order_id: order.and_then(|order| order.order_id.as_ref()),
            status,
            platform_status: payment
                .platform_status
                .as_ref()
                .map(|last| last.status.as_str()),
            sequence: payment.sequence,
            amount: order.map(|order| order.amount),
            currency: order.map(|order| order.currency),
            channel: order.map(|order| order.channel),
            paid_amount: payment.paid_amount(),
            refunded_amount: payment.refunded_amount(),
            pending_refund_amount: payment.pending_refund_amount(),
            refundable_amount: payment.refundable_amount(),
            operations: payment
                .operations
                .iter()
                .map(|(id, operation)| OperationView::new(id, operation))
                .collect(),
            refunds: payment.refunds.iter().map(RefundView::new).collect(),
            quarantine: Some(payment.quarantine()).filter(|reasons| !reasons.is_empty()),
            decline: DeclineView::of(payment, status),
            clarification_fields: payment.clarification_fields(),
            created_at: payment.created_at,
            updated_at: payment.updated_at,
        }
    }
}

/// An operation, as the platform reported it.
#[derive(Debug, Serialize)]
pub struct OperationView<'a> {
    operation_id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    status: Outcome,
    platform_status: &'a str,
    amount: Option<u64>,
    currency: Option<&'a str>,
    code: Option<&'a str>,
}

impl<'a> OperationView<'a> {
    fn new(operation_id: &'a str, operation: &'a Operation) -> Self {
        Self {
            operation_id,
            kind: &operation.kind,
            status: operation.outcome,
            platform_status: &operation.platform_status,
            amount: operation.amount,
            currency: operation.currency.as_deref(),
            code: operation.code.as_deref(),
        }
    }

    /// The operation of this id.
    pub fn find(payment: &'a Payment, operation_id: &str) -> Option<Self> {
        let found = payment.operations.get_key_value(operation_id);
        found.map(|(id, operation)| Self::new(id, operation))
    }

    /// The operation that a payment's event is about: the one whose money is doubted, else the
    /// sale that succeeded, else the one that ended the payment, else the newest sale.
    pub fn deciding(payment: &'a Payment) -> Option<Self> {
        let doubts = payment.doubts();
        let is_doubted = |id: &str| doubts.iter().any(|doubt| doubt.operation_id == id);
        payment
            .operations
            .iter()
            .map(|(id, operation)| (id, operation, is_doubted(id)))
            .filter(|(_, operation, is_doubted)| *is_doubted || operation.kind == "sale")
            .max_by_key(|(_, operation, is_doubted)| {
                let decides = (operation.is_successful_sale(), operation.ends_payment);
                (*is_doubted, decides, &operation.news)
            })
            .map(|(id, operation, _)| Self::new(id, operation))
    }
}

/// A refund, as storefronts and events see it.
#[derive(Debug, Serialize)]
pub struct RefundView<'a> {
    refund_id: Option<&'a MerchantId>,
    operation_id: Option<&'a str>,
    amount: u64,
    currency: Currency,
    status: RefundStatus,
    decline: Option<DeclineView<'a>>,
    created_at: Timestamp,
}

impl<'a> RefundView<'a> {
    /// Shows a refund.
    pub fn new(refund: &'a Refund) -> Self {
        Self {
            refund_id: refund.refund_id.as_ref(),
            operation_id: refund.operation_id.as_deref(),
            amount: refund.amount,
            currency: Currency::Eur,
            status: refund.status,
            decline: DeclineView::of_refund(refund),
            created_at: refund.created_at,
        }
    }
}

/// How the platform's books differ about an operation.
#[derive(Debug, Serialize)]
pub struct DifferenceView<'a> {
    about: Discrepancy,
    here: Option<&'a Entry>,
    platform: Option<&'a Entry>,
}

impl<'a> DifferenceView<'a> {
    /// Shows a difference.
    pub fn new(difference: &'a Difference) -> Self {
        Self {
            about: difference.about,
            here: difference.here.as_ref(),
            platform: difference.platform.as_ref(),
        }
    }
}

/// Why a payment was not paid, a refund not made, or a request not taken. The platform's reason is left out where the
/// customer must not be told.
#[derive(Debug, Clone, Serialize)]
pub struct DeclineView<'a> {
    code: Option<Cow<'a, str>>,
    message: Option<&'static str>,
    advice: Option<&'static str>,
}

impl<'a> DeclineView<'a> {
    fn of(payment: &'a Payment, status: Status) -> Option<Self> {
        matches!(status, Status::Declined | Status::Failed)
            .then(|| Self::new(payment.end_code(status).map(Cow::Borrowed)))
    }

    fn of_refund(refund: &'a Refund) -> Option<Self> {
        let code = refund.code.as_deref().map(Cow::Borrowed);
        (refund.status == RefundStatus::Declined).then(|| Self::new(code))
    }

    /// What the platform's list says of a code.
    pub fn new(code: Option<Cow<'a, str>>) -> Self {
        let known = code.as_deref().and_then(ResultCode::find);
        Self {
            code,
            message: known.and_then(ResultCode::reason),
            advice: known.map(ResultCode::advice),
        }
    }
}
