//! Refunds: reserving them, and telling which operation is which refund.

use std::collections::{BTreeMap, BTreeSet};

use ecommpay::answer::Answer;
use ecommpay::fields::{Currency, Text};

use super::attribution::{Ours, by_elimination, may_be, nameless};
use super::{Change, NO_REFUSAL, announce, checks};
use crate::ids::MerchantId;
use crate::payment::{
    Decision, Doubt, Exists, GateRequest, Operation, Outcome, Payment, Private, Refund,
    RefundStatus, Status, Verdict,
};
use crate::sha256;
use crate::timestamp::Timestamp;

/// The platform already has a refund with this `merchant_refund_id`.
pub(super) const REFUND_EXISTS: &str = "3230";

/// No more refunds of one payment are begun here, so that what the platform tells can be kept.
const MOST_REFUNDS: usize = 500;

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
    /// The payment has as many refunds as can be kept of one.
    TooMany,
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
    if payment.refunds.len() >= MOST_REFUNDS {
        return Err(RefundRejection::TooMany);
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
        sent_after: payment.questions,
        exists: None,
        refused_again: None,
        announced: None,
        announced_amount: 0,
        decline_announced: false,
        content: Some(order.content.clone()),
        created_at: at,
    });
    if refund_address(&after, &order.refund_id).is_none() {
        return Err(RefundRejection::NoAddress);
    }
    checks::begin(&mut after, at);
    Ok(Some(announce::announce(after, at)))
}

/// Gives back what was paid and is doubted: the operator has looked at all of these doubts. Gives the
/// id of the refund too, which is to be sent, unless all is on its way back already.
pub fn reject(
    payment: &Payment,
    by: &str,
    seen: &BTreeSet<Doubt>,
    at: Timestamp,
) -> Result<(Change, Option<MerchantId>), RefundRejection> {
    let doubts = payment.doubts();
    if doubts.is_empty() || !doubts.is_subset(seen) {
        return Err(RefundRejection::NotRefundable);
    }
    let mut rejected = payment.clone();
    rejected.decisions.push(Decision {
        verdict: Verdict::Rejected,
        by: by.to_owned(),
        at,
        doubts,
    });
    if payment.refundable_amount() == 0 {
        // All of it is on its way back already.
        return Ok((announce::announce(rejected, at), None));
    }
    let is_new = |id: &MerchantId| payment.refund(id).is_none();
    // Another id for each payment, should the platform compare them over all payments.
    let start = sha256::start_of_hex(payment.key().to_string().as_bytes(), 16);
    let refund_id = (1..=MOST_REFUNDS)
        .filter_map(|number| MerchantId::new(format!("rejected-{start}-{number}")))
        .find(is_new);
    let (Some(refund_id), Ok(description)) = (refund_id, Text::new("payment rejected")) else {
        return Err(RefundRejection::NotRefundable);
    };
    let order = RefundOrder {
        refund_id: refund_id.clone(),
        amount: None,
        description,
        ip_address: None,
        content: String::new(),
    };
    match reserve_refund(&rejected, &order, at)? {
        Some(change) => Ok((change, Some(refund_id))),
        None => Err(RefundRejection::OtherContent),
    }
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
            .and_then(|order| Some(order.customer.as_ref()?.ip_address.clone()))
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
    let mut payings = payment.payings();
    let in_euros = payings.all(|one| one.currency.as_deref() == Some(Currency::Eur.code()));
    paid && in_euros && Text::new(payment.payment_id.clone()).is_ok()
}

/// What Gate said to a refund of ours. An operation that is known already says more.
pub(super) fn take_answer(
    payment: &mut Payment,
    refund_id: &MerchantId,
    answer: &Answer,
    at: Timestamp,
) {
    let questions = payment.questions;
    let ours = |refund: &&mut Refund| refund.refund_id.as_ref() == Some(refund_id);
    let Some(refund) = payment.refunds.iter_mut().find(ours) else {
        return;
    };
    let again = match refund.request {
        GateRequest::Sending { again, .. } => again,
        GateRequest::Unclear => true,
        _ => return,
    };
    if refund.operation_id.is_some() && !refund.status.is_reserved() {
        return;
    }
    refund.request = match answer {
        Answer::Accepted { request_id } => GateRequest::Accepted {
            request_id: request_id.clone(),
        },
        Answer::Refused(refusal) if refusal.code == REFUND_EXISTS => {
            let exists = match again {
                true => Exists::By(at),
                false => Exists::Elsewhere,
            };
            refund.exists.get_or_insert(exists);
            GateRequest::Unclear
        }
        Answer::Refused(refusal) if NO_REFUSAL.contains(&refusal.code.as_str()) => {
            GateRequest::Unclear
        }
        Answer::Refused(refusal) if again => {
            refund.refused_again = Some(refusal.code.clone());
            GateRequest::Unclear
        }
        Answer::Refused(refusal) => GateRequest::Refused {
            code: refusal.code.clone(),
        },
        Answer::Unclear => GateRequest::Unclear,
    };
    refund.sent_after = questions;
}

/// What follows for a refund of which nobody knows whether it arrived, once a signed answer to a
/// later question has shown no operation that could be it: it is marked as being sent again, with
/// its own id; or, where a repeat was refused, it ends as declined.
///
/// `None`: nothing follows yet.
pub fn claim_repeat(payment: &Payment, refund_id: &MerchantId, at: Timestamp) -> Option<Change> {
    let refund = payment.refund(refund_id)?;
    let is_lost = refund.status == RefundStatus::Unknown && refund.exists.is_none();
    let is_answered = payment.answered > refund.sent_after;
    if !is_lost || !is_answered || may_be_there(payment, refund) {
        return None;
    }
    let mut after = payment.clone();
    let ours = |refund: &&mut Refund| refund.refund_id.as_ref() == Some(refund_id);
    let refund = after.refunds.iter_mut().find(ours)?;
    match refund.refused_again.take() {
        Some(code) => {
            refund.request = GateRequest::Refused { code };
            settle(&mut after, at);
            checks::settle(&mut after, at);
        }
        // Its status stays unknown while it is sent again, so nothing is settled anew.
        None => {
            refund.request = GateRequest::Sending {
                since: at,
                again: true,
            };
        }
    }
    Some(announce::announce(after, at))
}

/// Whether an operation that nobody has named could be this refund.
fn may_be_there(payment: &Payment, refund: &Refund) -> bool {
    let mut nameless = nameless(payment);
    nameless.any(|(_, operation)| may_be(refund, operation))
}

/// Brings the refunds in line with the operations and with what Gate said.
pub(super) fn settle(payment: &mut Payment, at: Timestamp) {
    let operations = operations_of_refunds(payment);
    // What seemed to be made elsewhere may have turned out to be ours.
    let refunds = &mut payment.refunds;
    refunds
        .retain(|refund| refund.refund_id.is_some() || operations.contains_key(&name_of(refund)));
    let known: BTreeSet<Name> = refunds.iter().map(name_of).collect();
    for name in operations.keys().filter(|name| !known.contains(name)) {
        if let Name::Elsewhere(id) = name {
            refunds.push(made_elsewhere(id, at));
        }
    }
    let ends: Vec<End> = payment
        .refunds
        .iter()
        .map(|refund| match operations.get(&name_of(refund)) {
            Some(ids) => end_by_operation(payment, refund, ids),
            None => end_by_request(payment, refund, at),
        })
        .collect();
    for (refund, end) in payment.refunds.iter_mut().zip(ends) {
        if end.status == RefundStatus::Unknown && refund.status != end.status {
            // Whoever sent it has given up by now.
            refund.sent_after = refund.sent_after.max(payment.questions);
        }
        end.write(refund);
    }
}

/// What a refund is called: by the merchant, or by the platform alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Ours(String),
    Elsewhere(String),
}

fn name_of(refund: &Refund) -> Name {
    match (&refund.refund_id, &refund.operation_id) {
        (Some(refund_id), _) => Name::Ours(refund_id.as_str().to_owned()),
        (None, operation_id) => Name::Elsewhere(operation_id.clone().unwrap_or_default()),
    }
}

/// The ids of the refund operations, by the refund that they are.
fn operations_of_refunds(payment: &Payment) -> BTreeMap<Name, Vec<String>> {
    let ours = Ours::of(payment);
    let eliminated = by_elimination(payment);
    let mut operations: BTreeMap<Name, Vec<String>> = BTreeMap::new();
    for (id, operation) in payment.operations.iter().filter(|(_, one)| one.is_refund()) {
        let named = ours.refund_of(operation);
        let name = match named.or(eliminated.get(id.as_str()).copied()) {
            Some(refund_id) => Name::Ours(refund_id.to_owned()),
            None => Name::Elsewhere(id.clone()),
        };
        operations.entry(name).or_default().push(id.clone());
    }
    operations
}

/// Where a refund stands.
struct End {
    status: RefundStatus,
    code: Option<String>,
    /// The operation that says so, and how much it gives back.
    operation: Option<(String, u64)>,
    /// Operations say what our request was called, so the refund need not.
    is_named: bool,
}

impl End {
    fn write(self, refund: &mut Refund) {
        (refund.status, refund.code) = (self.status, self.code);
        match (self.operation, &refund.refund_id) {
            (Some((id, amount)), ours) => {
                if ours.is_none() {
                    refund.amount = amount;
                }
                refund.operation_id = Some(id);
            }
            (None, Some(_)) => refund.operation_id = None,
            (None, None) => {}
        }
        if !refund.status.is_reserved() {
            // Never sent again, so nothing personal is kept of it.
            (refund.description, refund.ip_address) = (None, None);
            if self.is_named {
                refund.request = GateRequest::None;
            }
        }
    }
}

/// A refund that the platform tried more than once is done as soon as one try is.
fn end_by_operation(payment: &Payment, refund: &Refund, ids: &[String]) -> End {
    let weight = |one: &Operation| match one.outcome {
        Outcome::Declined => 0,
        Outcome::Pending => 1,
        Outcome::Succeeded => 2,
    };
    // A try that was declined because the refund exists already is no end of it.
    let is_try = |one: &Operation| {
        one.outcome != Outcome::Declined || one.code.as_deref() != Some(REFUND_EXISTS)
    };
    let tries = || {
        let operations = &payment.operations;
        let operations = ids.iter().filter_map(|id| Some((id, operations.get(id)?)));
        operations.filter(|(_, one)| is_try(one))
    };
    let decides = tries()
        .max_by(|(_, one), (_, other)| (weight(one), &one.news).cmp(&(weight(other), &other.news)));
    let (status, code) = match decides {
        Some((_, one)) if one.outcome == Outcome::Succeeded => (RefundStatus::Succeeded, None),
        Some((_, one)) if one.outcome == Outcome::Declined => {
            (RefundStatus::Declined, one.code.clone())
        }
        _ => (RefundStatus::Pending, None),
    };
    let request_id = refund.request.request_id();
    let names_request = |one: &Operation| {
        let is_same = request_id.is_none() || one.request_id.as_deref() == request_id;
        one.merchant_refund_id.is_some() && is_same
    };
    End {
        status,
        code,
        operation: decides.map(|(id, one)| (id.clone(), payment.given_back_by(id, one))),
        is_named: tries().any(|(_, one)| names_request(one)),
    }
}

/// Without an operation the answer to our request is all that we know.
fn end_by_request(payment: &Payment, refund: &Refund, at: Timestamp) -> End {
    let code = payment.refusal_of(&refund.request).map(str::to_owned);
    let is_lost = match &refund.request {
        GateRequest::Unclear => true,
        // Whoever sent it is gone.
        request @ GateRequest::Sending { .. } => !request.is_under_way(at),
        _ => false,
    };
    let status = match code {
        Some(_) => RefundStatus::Declined,
        None if is_lost => RefundStatus::Unknown,
        None => RefundStatus::Pending,
    };
    End {
        status,
        code,
        operation: None,
        is_named: false,
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
        sent_after: 0,
        exists: None,
        refused_again: None,
        announced: None,
        announced_amount: 0,
        decline_announced: false,
        content: None,
        created_at: at,
    }
}
