//! What callbacks alone cannot settle, so that the platform is polled at once.

use std::collections::BTreeSet;

use ecommpay::operation::Outcome;

use crate::model::{Evidence, Payment, QuarantineItem, SaleState};

/// One thing that callbacks alone cannot settle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unsettled {
    /// Callbacks contradict each other about this operation.
    Disputed(String),
    /// A callback says that this operation is done, and a signed answer that it is not.
    Overruled(String),
    /// More than one sale succeeded by callbacks.
    TwoSales(String),
    /// An operation succeeded whose type does not take money as documented.
    UnknownOperation(String),
    /// More was taken back of refunds than is known to have been refunded.
    ExcessReturns,
    /// A callback names less than was paid by others.
    LowerSum,
    /// A sale succeeded or is being confirmed, and by this `payment.status` its money does not count.
    SaleNotCounted(String),
    /// A callback declines a confirmation although the money counts.
    ConfirmationDeclined(String),
    /// Something new speaks against taking the money as paid.
    Quarantined(QuarantineItem),
    /// A payment that was not created here has its first operation.
    Unmatched,
}

/// The open points that a signed answer will close.
pub(super) fn needs_answer(payment: &Payment) -> BTreeSet<Unsettled> {
    let has_two_sales = payment.successful_sales().nth(1).is_some();
    let counts = payment.sale_state() == SaleState::Counts;
    let mut unsettled = BTreeSet::new();
    for (id, operation) in payment.operations() {
        // How an operation without money ends is of no interest: a link is sent, and expires.
        if operation.kind().moves_no_money() && !operation.is_confirmation() {
            continue;
        }
        if operation.evidence() == Evidence::Disputed {
            unsettled.insert(Unsettled::Disputed(id.to_owned()));
        }
        if operation.is_signed() {
            continue;
        }
        if has_two_sales && operation.is_successful_sale() {
            unsettled.insert(Unsettled::TwoSales(id.to_owned()));
        }
        if counts && operation.is_confirmation() && operation.outcome() == Outcome::Declined {
            unsettled.insert(Unsettled::ConfirmationDeclined(id.to_owned()));
        }
        if operation.kind().is_unknown() && operation.has_succeeded() {
            unsettled.insert(Unsettled::UnknownOperation(id.to_owned()));
        }
    }
    let mut operations = payment.operations();
    let is_signed_return = operations.any(|(_, one)| one.is_refund_reversal() && one.is_signed());
    if payment.has_excess_returns() && !is_signed_return {
        unsettled.insert(Unsettled::ExcessReturns);
    }
    if payment.is_lower_sum_in_doubt() {
        unsettled.insert(Unsettled::LowerSum);
    }
    unsettled
}

/// All reasons to poll at once, those that remain after a signed answer among them.
pub(super) fn unsettled(payment: &Payment) -> BTreeSet<Unsettled> {
    let mut unsettled = needs_answer(payment);
    let overruled = payment
        .operations()
        .filter(|(_, one)| one.evidence() == Evidence::Overruled);
    unsettled.extend(overruled.map(|(id, _)| Unsettled::Overruled(id.to_owned())));
    let is_not_counted = matches!(
        payment.sale_state(),
        SaleState::Held | SaleState::AwaitingConfirmation | SaleState::NotConfirmed
    );
    if is_not_counted {
        let status = payment.newest_money_status().unwrap_or_default();
        unsettled.insert(Unsettled::SaleNotCounted(status.to_owned()));
    }
    let items = payment.quarantine().into_iter();
    unsettled.extend(items.map(Unsettled::Quarantined));
    if payment.order().is_none() && payment.is_reported() && payment.operations().len() > 0 {
        unsettled.insert(Unsettled::Unmatched);
    }
    unsettled
}
