//! Releases or rejects a quarantined payment for an operator.
//!
//! A review settles exactly the quarantine items that the operator saw. If the items have changed since then, the
//! review is refused, and the operator must check the payment again.

use std::collections::BTreeSet;

use thiserror::Error;

use super::apply::Applied;
use super::commit::Payments;
use super::error::ApplyError;
use super::refund::RefundService;
use crate::decide::{self, Change, Command, Rejection};
use crate::model::ids::{MerchantId, PaymentKey};
use crate::model::{GateRequest, Payment, QuarantineItem, Refund, Verdict};
use crate::ports::{Clock, EventQueue, Gate, PaymentStore};

/// Why a review was refused or failed.
#[derive(Debug, Error)]
pub enum ReviewError {
    /// The payment does not exist.
    #[error("there is no such payment")]
    NotFound,
    /// The payment has no quarantine item.
    #[error("the payment is not in quarantine")]
    NotQuarantined,
    /// The payment was rejected before, and the money was refunded.
    #[error("the payment was rejected, and its money was refunded")]
    AlreadyRefunded,
    /// The payment was rejected before, and its money is being refunded or was refunded. A release is refused, because
    /// the shop would ship goods whose money is refunded.
    #[error("the payment was rejected, and its money is being refunded")]
    BeingRefunded,
    /// The quarantine items differ from the items that the operator saw.
    #[error("the reasons for the quarantine have changed; check the payment again")]
    OtherItems,
    /// No money of the payment is known in the currency of the order.
    #[error(
        "no money of this payment is known in the currency of the order: refund the money by hand, in the \
         platform's Dashboard"
    )]
    NoMoney,
    /// The rules do not allow the refund.
    #[error("the money cannot be refunded: {}", reason(.0))]
    NotRefundable(Rejection),
    /// This service failed. The operator can repeat the command.
    #[error(transparent)]
    Unavailable(#[from] ApplyError),
}

fn reason(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::NoAddress => "the shopper's IP address, which a refund needs, is not known",
        Rejection::TooMany => "the payment has the maximum number of refunds",
        Rejection::TooManyDecisions => {
            "the payment has the maximum number of decisions, or of items in its decisions"
        }
        Rejection::MoreThanLeft(_) => "no money is left",
        Rejection::NeedsNewerRelease => "only a newer release can change the payment",
        Rejection::NotRefundable
        | Rejection::OtherContent
        | Rejection::TooManyAttempts
        | Rejection::OtherSystem
        | Rejection::NoMoney => "the payment cannot be refunded in its status",
    }
}

impl From<Rejection> for ReviewError {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::NoMoney => ReviewError::NoMoney,
            other => ReviewError::NotRefundable(other),
        }
    }
}

/// Returns the payment if its quarantine items are exactly the items that the operator saw.
fn as_seen<'a>(
    payment: Option<&'a Payment>,
    items: &BTreeSet<QuarantineItem>,
) -> Result<&'a Payment, ReviewError> {
    let payment = payment.ok_or(ReviewError::NotFound)?;
    if payment.is_rejected() {
        return Err(ReviewError::AlreadyRefunded);
    }
    let quarantine = payment.quarantine();
    if quarantine.is_empty() {
        return Err(ReviewError::NotQuarantined);
    }
    match quarantine == *items {
        true => Ok(payment),
        false => Err(ReviewError::OtherItems),
    }
}

/// Whether the money of a rejected payment was refunded, or is being refunded.
fn is_being_refunded(payment: &Payment) -> bool {
    let mut decisions = payment.decisions().iter();
    let was_rejected = decisions.any(|decision| decision.verdict == Verdict::Rejected);
    // Another system's payment is excluded, because its rejection sends no refund.
    let is_nothing_left =
        payment.paid_amount() > 0 && payment.remaining_amount() == 0 && !payment.is_foreign();
    was_rejected && is_nothing_left || payment.is_refunded_by_rejection()
}

impl<S: PaymentStore, Q: EventQueue, C: Clock> Payments<S, Q, C> {
    /// Releases a quarantined payment: counts the money as paid.
    pub async fn release(
        &self,
        key: &PaymentKey,
        by: &str,
        items: &BTreeSet<QuarantineItem>,
    ) -> Result<Applied, ReviewError> {
        let released = self
            .update(key, |payment, at| {
                let payment = as_seen(payment, items)?;
                if is_being_refunded(payment) {
                    return Err(ReviewError::BeingRefunded);
                }
                let verdict = Verdict::Released;
                let command = Command::Review { verdict, by, items };
                Ok(decide::execute(Some(payment), command, at)?)
            })
            .await?;
        let (stored, change) = released.ok_or(ReviewError::NotFound)?;
        Ok(self.publish_change(stored, change).await)
    }
}

impl<S: PaymentStore, Q: EventQueue, C: Clock, G: Gate> RefundService<'_, S, Q, C, G> {
    /// Rejects a quarantined payment: refunds the money that arrived.
    pub async fn reject(
        &self,
        key: &PaymentKey,
        by: &str,
        items: &BTreeSet<QuarantineItem>,
    ) -> Result<Applied, ReviewError> {
        let rejected = self
            .payments
            .update(key, |payment, at| {
                let payment = as_seen(payment, items)?;
                let verdict = Verdict::Rejected;
                let command = Command::Review { verdict, by, items };
                Ok::<_, ReviewError>(decide::execute(Some(payment), command, at)?)
            })
            .await?;
        let (stored, change) = rejected.ok_or(ReviewError::NotFound)?;
        let payments = self.payments;
        let refund_id = change
            .as_ref()
            .and_then(|change| refund_to_send(&stored.payment, change));
        Ok(match (change, refund_id) {
            (Some(change), Some(refund_id)) => {
                payments
                    .send_refund(self.gate, self.keyring, stored, change.events, &refund_id)
                    .await?
            }
            (change, _) => payments.publish_change(stored, change).await,
        })
    }
}

/// Returns the newest refund that a rejection created, if there is one.
pub fn refund_of_rejection(payment: &Payment) -> Option<&Refund> {
    payment.refunds_of_rejections().next_back()
}

/// Returns the id of the refund that the change reserved. A new refund is the last refund of the payment, and the
/// change has claimed its first request. Returns `None` if the change reserved no refund.
fn refund_to_send(payment: &Payment, change: &Change) -> Option<MerchantId> {
    let refund = payment.refunds().last()?;
    let since = change.payment.updated_at();
    let is_new = matches!(
        refund.request(),
        GateRequest::Sending { since: sent, repeat: false, .. } if *sent == since
    );
    refund.refund_id().filter(|_| is_new).cloned()
}
