//! An operator's decision about quarantined money.
//!
//! It settles exactly what the operator has looked at. If anything else speaks against the money by the
//! time of the decision, nothing is decided, and they look again.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::apply::{Applied, ApplyError, Payments};
use crate::decide::{self, Change, Command, Rejection};
use crate::ids::{MerchantId, PaymentKey};
use crate::model::{GateRequest, Payment, QuarantineItem, Refund, RefundStatus, Verdict};
use crate::ports::{Clock, EventQueue, Gate, PaymentStore};
use crate::refund::RefundDesk;

/// Why nothing was decided.
#[derive(Debug, Error)]
pub enum Undecided {
    /// There is no such payment.
    #[error("there is no such payment")]
    NotFound,
    /// There is nothing to decide.
    #[error("the payment is not in quarantine")]
    NotQuarantined,
    /// Its money went back already.
    #[error("it was rejected, and its money went back")]
    WentBack,
    /// It was rejected: what is taken as paid would be shipped, and its money is on its way back.
    #[error("it was rejected, and its money is on its way back")]
    GoingBack,
    /// Other things speak against the money than those that were seen.
    #[error("what speaks against its money has changed; look again")]
    OtherItems,
    /// No money of it is known in the currency of the order.
    #[error(
        "no money of it is known in the currency of the order: give back by hand, in the platform's \
         Dashboard, what came"
    )]
    NoMoney,
    /// The money cannot be given back.
    #[error("its money cannot be given back: {}", why(.0))]
    NotGivenBack(Rejection),
    /// A failure of ours; it may be repeated.
    #[error(transparent)]
    Unavailable(#[from] ApplyError),
}

fn why(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::NoAddress => "the shopper's address, which a refund needs, is no longer known",
        Rejection::TooMany => "it has too many refunds",
        Rejection::MoreThanLeft(_) => "nothing is left of it",
        Rejection::NotRefundable | Rejection::OtherContent | Rejection::NoMoney => {
            "it is not refundable as it is"
        }
    }
}

/// The payment, if what speaks against its money is what was seen.
fn seen<'a>(
    payment: Option<&'a Payment>,
    items: &BTreeSet<QuarantineItem>,
) -> Result<&'a Payment, Undecided> {
    let payment = payment.ok_or(Undecided::NotFound)?;
    let known = payment.quarantine();
    if known.is_empty() {
        return Err(Undecided::NotQuarantined);
    }
    if payment.is_rejected() {
        return Err(Undecided::WentBack);
    }
    match known == *items {
        true => Ok(payment),
        false => Err(Undecided::OtherItems),
    }
}

/// Whether money that was rejected went back, or is on its way.
fn is_going_back(payment: &Payment) -> bool {
    let takes_money = |refund: &Refund| {
        refund.status().is_reserved() || refund.status() == RefundStatus::Succeeded
    };
    let mut decisions = payment.decisions().iter();
    let was_rejected = decisions.any(|decision| decision.verdict == Verdict::Rejected);
    let is_nothing_left = payment.paid_amount() > 0 && payment.refundable_amount() == 0;
    was_rejected && is_nothing_left || refunds_of_rejections(payment).any(takes_money)
}

fn rejected(rejection: Rejection) -> Undecided {
    match rejection {
        Rejection::NoMoney => Undecided::NoMoney,
        other => Undecided::NotGivenBack(other),
    }
}

impl<S: PaymentStore, Q: EventQueue, C: Clock> Payments<S, Q, C> {
    /// Takes money as paid, whatever speaks against it.
    pub async fn release(
        &self,
        key: &PaymentKey,
        by: &str,
        items: &BTreeSet<QuarantineItem>,
    ) -> Result<Applied, Undecided> {
        let released = self
            .update(key, |payment, at| {
                let payment = seen(payment, items)?;
                if is_going_back(payment) {
                    return Err(Undecided::GoingBack);
                }
                let verdict = Verdict::Released;
                let command = Command::Review { verdict, by, items };
                decide::execute(Some(payment), command, at).map_err(rejected)
            })
            .await?;
        let (stored, change) = released.ok_or(Undecided::NotFound)?;
        Ok(self.applied(stored, change).await)
    }
}

impl<S: PaymentStore, Q: EventQueue, C: Clock, G: Gate> RefundDesk<'_, S, Q, C, G> {
    /// Gives back what came of a payment in quarantine.
    pub async fn reject(
        &self,
        key: &PaymentKey,
        by: &str,
        items: &BTreeSet<QuarantineItem>,
    ) -> Result<Applied, Undecided> {
        let reviewed = self
            .payments
            .update(key, |payment, at| {
                let payment = seen(payment, items)?;
                let verdict = Verdict::Rejected;
                let command = Command::Review { verdict, by, items };
                decide::execute(Some(payment), command, at).map_err(rejected)
            })
            .await?;
        let (stored, change) = reviewed.ok_or(Undecided::NotFound)?;
        let payments = self.payments;
        let refund_id = change
            .as_ref()
            .and_then(|change| to_send(&stored.payment, change));
        Ok(match (change, refund_id) {
            (Some(change), Some(refund_id)) => {
                payments
                    .send_refund(self.gate, self.keyring, stored, change.events, &refund_id)
                    .await?
            }
            (change, _) => payments.applied(stored, change).await,
        })
    }
}

/// The last refund that a rejection has made, if one did.
pub fn refund_of_rejection(payment: &Payment) -> Option<&Refund> {
    refunds_of_rejections(payment).next_back()
}

fn refunds_of_rejections(payment: &Payment) -> impl DoubleEndedIterator<Item = &Refund> {
    let start = decide::refund_id_start(payment);
    payment.refunds().iter().filter(move |refund| {
        let id = refund.refund_id();
        id.is_some_and(|id| id.as_str().starts_with(&start))
    })
}

/// The refund that a rejection has reserved: the last one, if it is being sent since this change.
fn to_send(payment: &Payment, change: &Change) -> Option<MerchantId> {
    let refund = payment.refunds().last()?;
    let since = change.payment.updated_at();
    let is_new = matches!(
        refund.request(),
        GateRequest::Sending { since: sent, repeat: false, .. } if *sent == since
    );
    refund.refund_id().filter(|_| is_new).cloned()
}
