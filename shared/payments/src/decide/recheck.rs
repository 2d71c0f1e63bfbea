//! Lists the reasons for a recheck: an immediate status poll must decide what callbacks alone cannot decide.

use std::collections::BTreeSet;

use ecommpay::operation::is_refunded_status;

use crate::model::{Evidence, Operation, Payment, QuarantineItem, Refund, SaleState};

/// A reason for a recheck. The text of a variant is the `operation.id`, unless the variant says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// Callbacks contradict each other about an operation.
    Disputed(String),
    /// Signed answers decline an operation that succeeded in a callback.
    Overruled(String),
    /// Only callbacks report this sale, and another sale succeeded too.
    TwoSales(String),
    /// A callback says that an operation of undocumented type succeeded.
    UndocumentedOperation(String),
    /// A callback says that a refund of ours succeeded with another amount than requested.
    RefundDiffers(String),
    /// A callback says that a refund of ours succeeded again.
    RefundRepeated(String),
    /// A report says that the processing of an accepted refund failed, or that its id exists already. The text is the
    /// `refund_id`.
    RefundQuestioned(String),
    /// A callback declines a refund operation because its processing failed.
    RefundProcessingFailed(String),
    /// Only callbacks report a return that no known refund explains.
    UnexplainedReturn(String),
    SumUnconfirmed,
    /// Only callbacks show that more was refunded than paid. The number is the refunded amount.
    Overrefunded(u64),
    /// The money of a sale does not count, or not yet. The text is the newest `payment.status` about the sale or a
    /// confirmation.
    SaleNotCounted(String),
    /// A callback declines a confirmation, although the money of the sale counts.
    ConfirmationDeclined(String),
    Quarantined(QuarantineItem),
    /// An external payment has an operation.
    Unmatched,
}

/// Returns all reasons, including those that a signed answer does not remove.
pub(super) fn reasons(payment: &Payment) -> BTreeSet<Reason> {
    let mut reasons = reasons_for_answer(payment);
    let overruled = payment
        .operations()
        .filter(|(_, operation)| operation.evidence() == Evidence::Overruled);
    reasons.extend(overruled.map(|(id, _)| Reason::Overruled(id.to_owned())));
    let failed = payment.operations().filter(|(_, operation)| {
        operation.gives_back() && operation.has_processing_failed() && !operation.is_signed()
    });
    reasons.extend(failed.map(|(id, _)| Reason::RefundProcessingFailed(id.to_owned())));
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

/// Returns the reasons that a signed answer can remove. The recheck lasts while one of them remains.
pub(super) fn reasons_for_answer(payment: &Payment) -> BTreeSet<Reason> {
    let has_two_sales = payment.successful_sales().nth(1).is_some();
    let is_counted = payment.sale_state() == SaleState::Counts;
    let mut reasons = BTreeSet::new();
    for (id, operation) in payment.operations() {
        // For example, the expiry of a payment link needs no recheck.
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
    let repeated = payment.unconfirmed_further_successes().into_iter();
    reasons.extend(repeated.map(Reason::RefundRepeated));
    let unexplained = payment.returns().unexplained.into_iter();
    reasons.extend(unexplained.map(Reason::UnexplainedReturn));
    if payment.has_money() && payment.is_newest_sum_unconfirmed() {
        reasons.insert(Reason::SumUnconfirmed);
    }
    let excess = payment.overrefund().filter(|excess| !excess.is_confirmed);
    reasons.extend(excess.map(|excess| Reason::Overrefunded(excess.refunded)));
    reasons
}

/// Whether `payment.status` says that money moved, but no reported operation explains this.
pub(super) fn is_status_unexplained(payment: &Payment, status: Option<&str>) -> bool {
    let status = status.unwrap_or_default();
    let says_money_moved =
        is_refunded_status(status) || matches!(status, "success" | "partially paid");
    // An external payment can be of another type than a sale, such as a payout.
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
