//! Refunds: reserving them, and telling which operation is which refund.

use std::collections::BTreeMap;

use ecommpay::answer::Answer;
use ecommpay::fields::{Currency, Text};

use super::{Change, NO_REFUSAL, announce, checks};
use crate::ids::MerchantId;
use crate::payment::{
    GateRequest, Operation, Outcome, Payment, Private, Refund, RefundStatus, Status,
};
use crate::timestamp::Timestamp;

/// The platform already has a refund with this `merchant_refund_id`.
const REFUND_EXISTS: &str = "3230";

/// What a storefront asks for when it gives money back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundOrder {
    /// The merchant's own id.
    pub refund_id: MerchantId,
    /// Minor units; `None` means what is left at this moment.
    pub amount: Option<u64>,
    /// Mandatory on the platform.
    pub description: Text,
    /// The shopper's address, if it is not the checkout's.
    pub ip_address: Option<Private<Text>>,
    /// The start of the SHA-256 of what was asked.
    pub content: String,
}

/// Why a refund was not reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundRejection {
    /// The id names another refund.
    OtherContent,
    /// The payment is not one that can be refunded now.
    NotRefundable,
    /// More than what is left, which is this much.
    MoreThanLeft(u64),
    /// The shopper's address is neither given nor known.
    NoAddress,
}

/// Holds money back for a refund and claims its sending.
///
/// `Ok(None)`: the same refund was asked for before; nothing is to be sent.
pub fn reserve_refund(
    payment: &Payment,
    order: &RefundOrder,
    at: Timestamp,
) -> Result<Option<Change>, RefundRejection> {
    if let Some(known) = payment.refund(&order.refund_id) {
        return match known.content.as_deref() == Some(&order.content) {
            true => Ok(None),
            false => Err(RefundRejection::OtherContent),
        };
    }
    if !is_refundable(payment) {
        return Err(RefundRejection::NotRefundable);
    }
    let left = payment.refundable_amount();
    let amount = order.amount.unwrap_or(left);
    if amount == 0 || amount > left {
        return Err(RefundRejection::MoreThanLeft(left));
    }
    let mut after = payment.clone();
    after.refunds.push(Refund {
        refund_id: Some(order.refund_id.clone()),
        amount,
        status: RefundStatus::Pending,
        operation_id: None,
        request: GateRequest::Sending {
            since: at,
            again: false,
        },
        description: Some(order.description.clone()),
        ip_address: order.ip_address.clone(),
        code: None,
        announced: None,
        content: Some(order.content.clone()),
        created_at: at,
    });
    if refund_address(&after, &order.refund_id).is_none() {
        return Err(RefundRejection::NoAddress);
    }
    checks::begin(&mut after, at);
    Ok(Some(announce::announce(after, at)))
}

/// The address that a refund is sent with: its own, else the checkout's.
pub(crate) fn refund_address(payment: &Payment, refund_id: &MerchantId) -> Option<Text> {
    let own = payment
        .refund(refund_id)?
        .ip_address
        .as_ref()
        .map(|address| address.0.clone());
    let of_checkout = || {
        payment
            .order
            .as_ref()
            .map(|order| order.customer.ip_address.clone())
    };
    own.or_else(of_checkout)
}

/// Whether money can go back: something was paid, in the only currency we send, under an id that
/// we may sign.
fn is_refundable(payment: &Payment) -> bool {
    let paid = matches!(
        payment.status(),
        Status::Succeeded | Status::PartiallyRefunded | Status::Quarantined | Status::Unmatched
    ) && payment.paid_amount() > 0;
    let mut sales = payment
        .operations
        .values()
        .filter(|operation| operation.is_successful_sale());
    let in_euros =
        sales.all(|operation| operation.currency.as_deref() == Some(Currency::Eur.code()));
    paid && in_euros && Text::new(payment.payment_id.clone()).is_ok()
}

/// What Gate said to a refund of ours. An operation that is known already says more.
pub(super) fn take_answer(payment: &mut Payment, refund_id: &MerchantId, answer: &Answer) {
    let ours = |refund: &&mut Refund| refund.refund_id.as_ref() == Some(refund_id);
    let Some(refund) = payment.refunds.iter_mut().find(ours) else {
        return;
    };
    let is_answered = matches!(
        refund.request,
        GateRequest::Accepted { .. } | GateRequest::Refused { .. }
    );
    let is_over = refund.operation_id.is_some() && !refund.status.is_reserved();
    if is_answered || is_over {
        return;
    }
    let again = matches!(
        refund.request,
        GateRequest::Sending { again: true, .. } | GateRequest::Unclear
    );
    refund.request = match answer {
        Answer::Accepted { request_id } => GateRequest::Accepted {
            request_id: request_id.clone(),
        },
        Answer::Refused(refusal)
            if !again
                && refusal.code != REFUND_EXISTS
                && !NO_REFUSAL.contains(&refusal.code.as_str()) =>
        {
            GateRequest::Refused {
                code: refusal.code.clone(),
            }
        }
        Answer::Refused(_) | Answer::Unclear => GateRequest::Unclear,
    };
}

/// Brings the refunds in line with the operations and with what Gate said.
pub(super) fn settle(payment: &mut Payment, at: Timestamp) {
    forget_doubles(payment);
    let operations = payment.operations.iter().filter(|(_, one)| one.is_refund());
    let is_new = |id: &str, one: &Operation| refund_of(payment, id, one).is_none();
    let new: Vec<Refund> = operations
        .filter(|(id, one)| is_new(id, one))
        .map(|(id, _)| made_elsewhere(id, at))
        .collect();
    payment.refunds.extend(new);
    let mut decides: BTreeMap<usize, (&String, &Operation)> = BTreeMap::new();
    for (id, operation) in &payment.operations {
        let index = refund_of(payment, id, operation).filter(|_| operation.is_refund());
        let Some(index) = index else { continue };
        // A refund that the platform tried more than once is done as soon as one try is.
        let weight = |one: &Operation| match one.outcome {
            Outcome::Declined => 0,
            Outcome::Pending => 1,
            Outcome::Succeeded => 2,
        };
        let best = decides.entry(index).or_insert((id, operation));
        if (weight(best.1), &best.1.news) < (weight(operation), &operation.news) {
            *best = (id, operation);
        }
    }
    let decides: Vec<_> = decides
        .into_iter()
        .map(|(index, (id, operation))| {
            let (status, code) = match operation.outcome {
                Outcome::Pending => (RefundStatus::Pending, None),
                Outcome::Declined => (RefundStatus::Declined, operation.code.clone()),
                Outcome::Succeeded => (RefundStatus::Succeeded, None),
            };
            let amount = payment.given_back_by(id, operation);
            (index, id.clone(), amount, status, code)
        })
        .collect();
    for (index, id, amount, status, code) in decides {
        let Some(refund) = payment.refunds.get_mut(index) else {
            continue;
        };
        if refund.refund_id.is_none() {
            refund.amount = amount;
        }
        refund.operation_id = Some(id);
        (refund.status, refund.code) = (status, code);
    }
    let refusals: Vec<Option<String>> = payment
        .refunds
        .iter()
        .map(|refund| payment.refusal_of(&refund.request).map(str::to_owned))
        .collect();
    for (refund, refusal) in payment.refunds.iter_mut().zip(refusals) {
        if refund.operation_id.is_none() {
            refund.status = match (&refusal, &refund.request) {
                (Some(_), _) => RefundStatus::Declined,
                (None, GateRequest::Unclear) => RefundStatus::Unknown,
                (None, _) => RefundStatus::Pending,
            };
            refund.code = refusal;
        }
        if !refund.status.is_reserved() {
            // Never sent again, so nothing personal is kept of it.
            (refund.description, refund.ip_address) = (None, None);
            if refund.operation_id.is_some() {
                // The operation says more, and has the request's name too.
                refund.request = GateRequest::None;
            }
        }
    }
}

/// The operations that the platform reported, by their ids.
type Operations = BTreeMap<String, Operation>;

/// A refund operation is ours by `merchant_refund_id`, then by `request_id`.
fn is_ours(refund: &Refund, operation: &Operation, all: &Operations) -> bool {
    match (&refund.refund_id, &operation.merchant_refund_id) {
        (Some(ours), Some(named)) => ours.is(named),
        (Some(_), None) => {
            let request_id = request_id_of(refund, all);
            request_id.is_some() && request_id == operation.request_id.as_deref()
        }
        (None, _) => false,
    }
}

/// The platform's name of our request: by Gate's answer, or by the operation that came of it.
pub(super) fn request_id_of<'a>(refund: &'a Refund, all: &'a Operations) -> Option<&'a str> {
    let operation = || {
        all.get(refund.operation_id.as_ref()?)?
            .request_id
            .as_deref()
    };
    refund.request.request_id().or_else(operation)
}

/// The refund that an operation belongs to: one of ours, or one that was made elsewhere, and counts
/// all the same.
fn refund_of(payment: &Payment, id: &str, operation: &Operation) -> Option<usize> {
    let refunds = &payment.refunds;
    let is_ours = |refund: &Refund| is_ours(refund, operation, &payment.operations);
    let ours = refunds.iter().position(is_ours);
    ours.or_else(|| refunds.iter().position(|refund| refund.is_made_by(id)))
}

/// An operation that was heard of before we knew the name of our own request seemed to be made
/// elsewhere. What was announced of it then is announced.
fn forget_doubles(payment: &mut Payment) {
    let (refunds, operations) = (&mut payment.refunds, &payment.operations);
    for (id, operation) in operations.iter().filter(|(_, one)| one.is_refund()) {
        let seems_made_elsewhere =
            |refund: &Refund| refund.refund_id.is_none() && refund.is_made_by(id);
        let Some(double) = refunds.iter().position(seems_made_elsewhere) else {
            continue;
        };
        if refunds
            .iter()
            .any(|refund| is_ours(refund, operation, operations))
        {
            let told = refunds.remove(double).announced;
            if let Some(ours) = refunds
                .iter_mut()
                .find(|refund| is_ours(refund, operation, operations))
            {
                ours.announced = told.or(ours.announced);
            }
        }
    }
}

fn made_elsewhere(operation_id: &str, at: Timestamp) -> Refund {
    Refund {
        refund_id: None,
        amount: 0,
        status: RefundStatus::Pending,
        operation_id: Some(operation_id.to_owned()),
        request: GateRequest::None,
        description: None,
        ip_address: None,
        code: None,
        announced: None,
        content: None,
        created_at: at,
    }
}
