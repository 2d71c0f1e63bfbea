//! Defines the public view of a payment, for storefronts and events. It has no personal data.

use std::borrow::Cow;
use std::collections::BTreeSet;

use ecommpay::codes::ResultCode;
use ecommpay::fields::{Currency, MinorUnits};
use serde::Serialize;

use crate::model::ids::MerchantId;
use crate::model::serde_skip::is_default;
use crate::model::timestamp::Timestamp;
use crate::model::{
    Channel, CheckoutState, Discrepancy, DiscrepancyKind, Entry, Operation, OperationType, Outcome,
    Payment, QuarantineReason, Refund, RefundStatus, ReportedSum, Status, Waiting,
};

/// A payment, as in `GET /payments/{payment_id}` and in the `data` of events. Amounts are in minor units.
#[derive(Debug, Serialize)]
pub struct PaymentView<'a> {
    payment_id: &'a str,
    order_id: Option<&'a MerchantId>,
    status: Status,
    checkout: Option<CheckoutState>,
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
    #[serde(skip_serializing_if = "is_default")]
    operations_omitted: usize,
    refunds: Vec<RefundView<'a>>,
    #[serde(skip_serializing_if = "is_default")]
    refunds_omitted: usize,
    quarantine: Option<Vec<QuarantineView>>,
    decline: Option<DeclineView<'a>>,
    clarification_fields: Vec<&'a str>,
    clarification_required: Vec<&'a str>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> PaymentView<'a> {
    /// Creates the view at a time, because a checkout can expire without a change of the payment.
    pub fn new(payment: &'a Payment, at: Timestamp) -> Self {
        let order = payment.order();
        let status = payment.status();
        let (clarification_fields, clarification_required) =
            names_of_fields(payment.clarification_request());
        // The storefront must not see the money of another system's payment.
        let is_foreign = payment.is_foreign();
        let unless_foreign = |amount: u64| if is_foreign { 0 } else { amount };
        let (operations, refunds, known, known_refunds) = match is_foreign {
            true => (Vec::new(), Vec::new(), 0, 0),
            false => {
                let known = payment.operations().len();
                (
                    listed_operations(payment),
                    listed_refunds(payment),
                    known.max(payment.most_known_operations()),
                    payment.refunds().len(),
                )
            }
        };
        Self {
            payment_id: payment.payment_id(),
            order_id: order.and_then(|order| order.order_id.as_ref()),
            status,
            checkout: payment.checkout_state(at),
            platform_status: payment.platform_status().filter(|_| !is_foreign),
            sequence: payment.sequence(),
            amount: order.map(|order| order.amount),
            currency: order.map(|order| order.currency),
            channel: payment.channel(),
            paid_amount: unless_foreign(payment.paid_amount()),
            refunded_amount: unless_foreign(payment.refunded_amount()),
            pending_refund_amount: unless_foreign(payment.pending_refund_amount()),
            refundable_amount: payment.refundable_amount(),
            operations_omitted: known - operations.len(),
            operations,
            refunds_omitted: known_refunds - refunds.len(),
            refunds,
            quarantine: QuarantineView::of(payment),
            decline: DeclineView::of(payment, status),
            clarification_fields,
            clarification_required,
            created_at: payment.created_at(),
            updated_at: payment.updated_at(),
        }
    }

    /// Returns the number of the newest event that the view includes.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Sets the sequence number. Each event of a change has its own sequence number.
    pub fn set_sequence(&mut self, sequence: u64) {
        self.sequence = sequence;
    }
}

/// The maximum number of listed operations, and also of listed refunds. The number is limited, because an event
/// contains the view and must fit into one message of a queue. The view has the number of elements that it leaves out.
const MAX_LISTED: usize = 200;
/// The maximum size of the ids of all listed operations, in bytes. The ids of all listed refunds have the same maximum.
const MAX_ID_BYTES: usize = 24 * 1_024;
/// The maximum number of reported sums beside each reason for quarantine.
const MAX_SUMS: usize = 50;

/// Returns the listed operations, sorted by id. The newest operations that are not about a refund are preferred.
fn listed_operations(payment: &Payment) -> Vec<OperationView<'_>> {
    let newest = newest(payment.operations(), |(id, operation)| {
        let date = operation.report_order().map(|order| order.dates().0);
        let is_about_refund = operation.kind().is_about_refund();
        ((!is_about_refund, date, id.len(), *id), id.len())
    });
    let views = newest.into_iter();
    let views = views.map(|(id, operation)| OperationView::new(id, operation));
    views.collect()
}

/// Returns the listed refunds. The newest refunds that this service requested are preferred.
fn listed_refunds(payment: &Payment) -> Vec<RefundView<'_>> {
    let newest = newest(payment.refunds().iter(), |refund| {
        let id = refund.operation_id().unwrap_or_default();
        let is_own = refund.refund_id().is_some();
        ((is_own, refund.created_at(), id.len(), id), id.len())
    });
    let views = newest.into_iter();
    views
        .map(|refund| RefundView::new(payment, refund))
        .collect()
}

/// Returns the elements with the greatest keys, in the order of `all`, within [`MAX_LISTED`] and [`MAX_ID_BYTES`].
/// `key` returns the key of an element and the length of its id in bytes.
fn newest<T, K: Ord>(
    all: impl ExactSizeIterator<Item = T>,
    key: impl Fn(&T) -> (K, usize),
) -> Vec<T> {
    let mut all: Vec<(usize, T)> = all.enumerate().collect();
    let mut keys: Vec<(K, usize, usize)> = all
        .iter()
        .map(|(index, one)| {
            let (key, bytes) = key(one);
            (key, bytes, *index)
        })
        .collect();
    keys.sort_unstable_by(|one, other| other.cmp(one));
    let mut bytes = 0;
    let listed = keys.into_iter().take(MAX_LISTED);
    let listed = listed.take_while(|(_, size, _)| {
        bytes += size;
        bytes <= MAX_ID_BYTES
    });
    let listed: BTreeSet<usize> = listed.map(|(.., index)| index).collect();
    all.retain(|(index, _)| listed.contains(index));
    all.into_iter().map(|(_, one)| one).collect()
}

/// Returns the names of all requested fields, and of the required fields among them.
fn names_of_fields(request: Option<&Waiting>) -> (Vec<&str>, Vec<&str>) {
    let fields = request.map_or(&[][..], Waiting::clarification_fields);
    let names = fields.iter().map(|field| field.name.as_str());
    let required = fields.iter().filter(|field| field.required);
    let required = required.map(|field| field.name.as_str());
    (names.collect(), required.collect())
}

/// A reason for the quarantine, with the ordered sum and the reported sums.
#[derive(Debug, Serialize)]
pub struct QuarantineView {
    reason: QuarantineReason,
    ordered: Option<SumView>,
    reported: Vec<ReportedView>,
}

#[derive(Debug, Clone, Serialize)]
struct SumView {
    amount: u64,
    currency: String,
}

#[derive(Debug, Clone, Serialize)]
struct ReportedView {
    operation_id: Option<String>,
    field: &'static str,
    #[serde(flatten)]
    sum: SumView,
}

impl QuarantineView {
    fn of(payment: &Payment) -> Option<Vec<Self>> {
        let reasons = payment.quarantine_reasons();
        if reasons.is_empty() {
            return None;
        }
        let ordered = payment.order().map(|order| SumView {
            amount: order.amount.get(),
            currency: order.currency.code().to_owned(),
        });
        let shown = if payment.is_foreign() { 0 } else { MAX_SUMS };
        let reported = payment.reported_sums().into_iter().take(shown);
        let reported: Vec<ReportedView> = reported.map(ReportedView::new).collect();
        let views = reasons.into_iter().map(|reason| Self {
            reason,
            ordered: ordered.clone(),
            reported: reported.clone(),
        });
        Some(views.collect())
    }
}

impl ReportedView {
    fn new(reported: ReportedSum) -> Self {
        Self {
            operation_id: reported.operation_id,
            field: reported.field,
            sum: SumView {
                amount: reported.sum.amount,
                currency: reported.sum.currency,
            },
        }
    }
}

/// An operation as the platform reported it.
#[derive(Debug, Serialize)]
pub struct OperationView<'a> {
    operation_id: &'a str,
    #[serde(rename = "type")]
    kind: &'a OperationType,
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
            kind: operation.kind(),
            status: operation.outcome(),
            platform_status: operation.platform_status(),
            amount: operation.amount(),
            currency: operation.currency(),
            code: operation.code(),
        }
    }

    /// Returns the view of the operation with this id, if the payment stores it.
    pub fn find(payment: &'a Payment, operation_id: &str) -> Option<Self> {
        let mut operations = payment.operations();
        let found = operations.find(|(id, _)| *id == operation_id);
        found.map(|(id, operation)| Self::new(id, operation))
    }

    /// Returns the operation that decides the payment's status; `None` for another system's payment. The first kind
    /// that exists is used, and its newest operation is returned:
    /// 1. an operation with a quarantine item, preferably a successful sale
    /// 2. the operation that declined the payment
    /// 3. a successful sale
    /// 4. any other sale
    pub fn deciding(payment: &'a Payment) -> Option<Self> {
        if payment.is_foreign() {
            return None;
        }
        let quarantine = payment.quarantine();
        let is_quarantined = |id: &str| {
            let mut ids = quarantine.iter().map(|item| item.operation_id.as_deref());
            ids.any(|known| known == Some(id))
        };
        let declining = match payment.status() {
            Status::Declined => payment.declining_operation(),
            _ => None,
        };
        let declines = |one: &Operation| declining.is_some_and(|other| std::ptr::eq(one, other));
        payment
            .operations()
            .map(|(id, one)| (id, one, (is_quarantined(id), declines(one))))
            .filter(|(_, one, decides)| *decides != (false, false) || one.is_sale())
            .max_by_key(|(_, one, decides)| {
                (
                    *decides,
                    one.is_successful_sale(),
                    one.report_order().cloned(),
                )
            })
            .map(|(id, operation, _)| Self::new(id, operation))
    }
}

/// The view of a refund, for storefronts and events.
#[derive(Debug, Serialize)]
pub struct RefundView<'a> {
    refund_id: Option<&'a MerchantId>,
    operation_id: Option<&'a str>,
    amount: u64,
    currency: &'a str,
    status: RefundStatus,
    returned_amount: u64,
    decline: Option<DeclineView<'a>>,
    clarification_fields: Vec<&'a str>,
    clarification_required: Vec<&'a str>,
    created_at: Timestamp,
}

impl<'a> RefundView<'a> {
    /// Creates the view of a refund of this payment.
    pub fn new(payment: &'a Payment, refund: &'a Refund) -> Self {
        let (clarification_fields, clarification_required) =
            names_of_fields(payment.clarification_request_of(refund));
        Self {
            refund_id: refund.refund_id(),
            operation_id: refund.operation_id(),
            amount: refund.amount(),
            currency: payment.currency().unwrap_or(Currency::Eur.code()),
            status: refund.status(),
            returned_amount: refund.returned_amount(),
            decline: DeclineView::of_refund(refund),
            clarification_fields,
            clarification_required,
            created_at: refund.created_at(),
        }
    }
}

/// A difference between the platform records and our records about an operation.
#[derive(Debug, Serialize)]
pub struct DiscrepancyView<'a> {
    kind: DiscrepancyKind,
    local: Option<&'a Entry>,
    platform: Option<&'a Entry>,
}

impl<'a> DiscrepancyView<'a> {
    /// Creates the view of a discrepancy, with or without its values.
    pub fn new(discrepancy: &'a Discrepancy, has_values: bool) -> Self {
        Self {
            kind: discrepancy.kind,
            local: discrepancy.local.as_ref().filter(|_| has_values),
            platform: discrepancy.platform.as_ref().filter(|_| has_values),
        }
    }
}

/// Why the platform declined a payment or a refund, or refused a request. There is no message if the platform's list
/// of codes says that the customer must not see it.
#[derive(Debug, Clone, Serialize)]
pub struct DeclineView<'a> {
    code: Option<Cow<'a, str>>,
    message: Option<&'static str>,
    advice: Option<&'static str>,
}

impl<'a> DeclineView<'a> {
    fn of(payment: &'a Payment, status: Status) -> Option<Self> {
        // The storefront must not see why another system's payment was declined. A refusal by Gate is shown, because it
        // is about our own sale.
        let is_shown = match status {
            Status::Declined => !payment.is_foreign(),
            Status::Failed => !payment.attempt().is_foreign(),
            _ => false,
        };
        is_shown.then(|| Self::new(payment.decline_code(status).map(Cow::Borrowed)))
    }

    fn of_refund(refund: &'a Refund) -> Option<Self> {
        let code = refund.code().map(Cow::Borrowed);
        (refund.status() == RefundStatus::Declined).then(|| Self::new(code))
    }

    /// Creates the view of a code. The platform's list of codes has the message and the advice.
    pub fn new(code: Option<Cow<'a, str>>) -> Self {
        let known = code.as_deref().and_then(ResultCode::find);
        Self {
            code,
            message: known.and_then(ResultCode::reason),
            advice: known.map(ResultCode::advice),
        }
    }
}
