//! An operator's word about the doubts about a payment's money.
//!
//! They say it about what they have seen. If anything else is doubted by the time it is said,
//! nothing is decided, and they look again.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::apply::{Applied, ApplyError, Payments};
use crate::decide::{self, Fact, RefundRejection};
use crate::ids::PaymentKey;
use crate::payment::{Doubt, Payment};
use crate::ports::{Clock, EventQueue, Gate, PaymentStore};
use crate::refund::RefundDesk;

/// Why nothing was decided.
#[derive(Debug, Error)]
pub enum Undecided {
    /// There is no such payment.
    #[error("there is no such payment")]
    NotFound,
    /// There is nothing to decide.
    #[error("nothing about its money is doubted")]
    NothingDoubted,
    /// Its money went back already.
    #[error("it was rejected, and its money went back")]
    WentBack,
    /// Somebody has rejected it: what is taken as paid would be shipped, and its money is on its way back.
    #[error("it was rejected, and its money is on its way back")]
    GoingBack,
    /// Other things are doubted than those that were seen.
    #[error("its doubts are no longer those that were seen; look again")]
    OtherDoubts,
    /// The money cannot be given back.
    #[error("its money cannot be given back: {}", why(.0))]
    NotGivenBack(RefundRejection),
    /// A failure of ours; it may be said again.
    #[error(transparent)]
    Unavailable(#[from] ApplyError),
}

fn why(rejection: &RefundRejection) -> &'static str {
    match rejection {
        RefundRejection::NoAddress => {
            "the shopper's address, which a refund needs, is no longer known"
        }
        RefundRejection::TooMany => "it has too many refunds",
        RefundRejection::MoreThanLeft(_) => "nothing is left of it",
        RefundRejection::NotRefundable | RefundRejection::OtherContent => {
            "it is not refundable as it is"
        }
    }
}

/// The payment, if what is doubted about it is what was seen.
fn seen<'a>(
    payment: Option<&'a Payment>,
    doubts: &BTreeSet<Doubt>,
) -> Result<&'a Payment, Undecided> {
    let payment = payment.ok_or(Undecided::NotFound)?;
    let known = payment.doubts();
    if known.is_empty() {
        return Err(Undecided::NothingDoubted);
    }
    if payment.is_rejected() {
        return Err(Undecided::WentBack);
    }
    match known == *doubts {
        true => Ok(payment),
        false => Err(Undecided::OtherDoubts),
    }
}

impl<S: PaymentStore, Q: EventQueue, C: Clock> Payments<S, Q, C> {
    /// Takes money as paid, whatever there is to say against it.
    pub async fn release(
        &self,
        key: &PaymentKey,
        by: &str,
        doubts: &BTreeSet<Doubt>,
    ) -> Result<Applied, Undecided> {
        let released = self
            .update(key, |payment, at| {
                let payment = seen(payment, doubts)?;
                if payment.is_going_back() {
                    return Err(Undecided::GoingBack);
                }
                let fact = Fact::Release { by, doubts };
                Ok::<_, Undecided>(decide::decide(Some(payment), fact, at))
            })
            .await?;
        let (stored, change) = released.ok_or(Undecided::NotFound)?;
        Ok(self.applied(stored, change).await)
    }
}

impl<S: PaymentStore, Q: EventQueue, C: Clock, G: Gate> RefundDesk<'_, S, Q, C, G> {
    /// Gives back what was paid and is doubted.
    pub async fn reject(
        &self,
        key: &PaymentKey,
        by: &str,
        doubts: &BTreeSet<Doubt>,
    ) -> Result<Applied, Undecided> {
        let mut to_send = None;
        let rejected = self
            .payments
            .update(key, |payment, at| {
                let rejected = decide::reject(seen(payment, doubts)?, by, doubts, at);
                let (change, id) = rejected.map_err(Undecided::NotGivenBack)?;
                to_send = id;
                Ok::<_, Undecided>(Some(change))
            })
            .await?;
        let (stored, change) = rejected.ok_or(Undecided::NotFound)?;
        let payments = self.payments;
        Ok(match (change, to_send) {
            (Some(change), Some(refund_id)) => {
                payments
                    .send_refund(self.gate, self.keyring, stored, change.events, &refund_id)
                    .await?
            }
            (change, _) => payments.applied(stored, change).await,
        })
    }
}
