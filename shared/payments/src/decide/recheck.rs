//! Lists the reasons for a recheck: callbacks alone cannot decide something, so the platform is polled immediately.

use std::collections::BTreeSet;

use ecommpay::operation::is_refunded_status;

use crate::model::{Evidence, Operation, Payment, QuarantineItem, Refund, SaleState};

/// A reason for a recheck. The text in a reason is the `operation.id`, unless stated otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// Callbacks contradict each other about an operation.
    Disputed(String),
    /// A callback says that an operation succeeded, and signed answers decline the operation.
    Overruled(String),
    /// Several sales succeeded, and only callbacks report this sale.
    TwoSales(String),
    /// A callback says that an operation of undocumented type succeeded.
    UndocumentedOperation(String),
    /// A callback says that a refund of ours succeeded with another amount than requested.
    RefundDiffers(String),
    /// A callback says that the processing of a refund failed, or that its id exists already. The text is the
    /// `refund_id`.
    RefundQuestioned(String),
    /// A callback reports a return, and no known refund explains it.
    UnexplainedReturn(String),
    /// A callback names a sum that a signed answer must confirm.
    SumUnconfirmed,
    /// The money of a sale does not count, or does not count yet. The text is the newest `payment.status` about a sale
    /// or a confirmation.
    SaleNotCounted(String),
    /// A callback declines a confirmation although the money of the sale counts.
    ConfirmationDeclined(String),
    /// A quarantine item.
    Quarantined(QuarantineItem),
    /// An external payment has an operation.
    Unmatched,
}

/// Returns all reasons for a recheck, including the reasons that a signed answer does not remove.
pub(super) fn reasons(payment: &Payment) -> BTreeSet<Reason> {
    let mut reasons = reasons_for_answer(payment);
    let overruled = payment
        .operations()
        .filter(|(_, operation)| operation.evidence() == Evidence::Overruled);
    reasons.extend(overruled.map(|(id, _)| Reason::Overruled(id.to_owned())));
    let questioned = payment.refunds().iter();
    let questioned = questioned.filter(|refund| payment.is_refund_questioned(refund));
    let questioned = questioned.filter_map(Refund::refund_id);
    reasons.extend(questioned.map(|id| Reason::RefundQuestioned(id.to_string())));
    if payment.is_sale_undecided() || payment.is_not_confirmed() {
        let status = payment.newest_sale_status().unwrap_or_default();
        reasons.insert(Reason::SaleNotCounted(status.to_owned()));
    }
    let items = payment.quarantine().into_iter();
    reasons.extend(items.map(Reason::Quarantined));
    if payment.order().is_none() && payment.is_emittable() && payment.operations().len() > 0 {
        reasons.insert(Reason::Unmatched);
    }
    reasons
}

/// Returns the reasons that a signed answer can remove. While one of these reasons remains, the recheck continues.
pub(super) fn reasons_for_answer(payment: &Payment) -> BTreeSet<Reason> {
    let has_two_sales = payment.successful_sales().nth(1).is_some();
    let is_counted = payment.sale_state() == SaleState::Counts;
    let mut reasons = BTreeSet::new();
    for (id, operation) in payment.operations() {
        // An operation that moves no money needs no recheck. An example is the expiry of a payment link.
        if operation.kind().moves_no_money() && !operation.is_confirmation() {
            continue;
        }
        if operation.evidence() == Evidence::Disputed {
            reasons.insert(Reason::Disputed(id.to_owned()));
        }
        if operation.is_signed() {
            continue;
        }
        if has_two_sales && operation.is_successful_sale() {
            reasons.insert(Reason::TwoSales(id.to_owned()));
        }
        if is_counted && operation.is_confirmation() && operation.is_declined() {
            reasons.insert(Reason::ConfirmationDeclined(id.to_owned()));
        }
        if operation.kind().is_undocumented() && operation.has_succeeded() {
            reasons.insert(Reason::UndocumentedOperation(id.to_owned()));
        }
    }
    let differing = payment.unconfirmed_differing_refunds().into_iter();
    reasons.extend(differing.map(Reason::RefundDiffers));
    let unexplained = payment.returns().unexplained.into_iter();
    reasons.extend(unexplained.map(Reason::UnexplainedReturn));
    if payment.has_money() && payment.is_newest_sum_unconfirmed() {
        reasons.insert(Reason::SumUnconfirmed);
    }
    reasons
}

/// Whether `payment.status` of a report says that money moved, but no reported operation explains this status.
pub(super) fn is_status_unexplained(payment: &Payment, status: Option<&str>) -> bool {
    let status = status.unwrap_or_default();
    let says_money_moved =
        is_refunded_status(status) || matches!(status, "success" | "partially paid");
    // An external payment can be of any type, such as a payout.
    let is_external = payment.order().is_none();
    let explains = |operation: &Operation| {
        let is_payment = is_external && !operation.gives_back() || operation.is_sale();
        operation.has_succeeded() && (is_payment || operation.is_undocumented_capture())
    };
    says_money_moved
        && !payment
            .operations()
            .any(|(_, operation)| explains(operation))
}
