//! Defines the result of `release` and `reject`.

use payments::model::{Refund, RefundStatus};
use payments::service::apply::Applied;
use payments::service::review::{ReviewError, refund_of_rejection};
use serde::Serialize;

use super::amounts::Amounts;
use super::event_types::event_types;
use super::not_done::NotDone;

#[derive(Debug, Serialize)]
pub struct ReviewDone {
    after: Amounts,
    /// The last refund that a rejection of this payment created. `None` for a release, or if there is no such refund.
    refund: Option<RefundDone>,
    events: Vec<&'static str>,
    /// Why the events are not published yet; `None` if they are published. The sweeper publishes them later.
    not_published: Option<String>,
}

#[derive(Debug, Serialize)]
struct RefundDone {
    refund_id: Option<String>,
    /// The amount in minor units.
    amount: u64,
    status: RefundStatus,
    /// The platform's code for the reason of a decline; `None` if the refund is not declined or has no code.
    code: Option<String>,
}

impl ReviewDone {
    pub fn of_release(applied: &Applied) -> Self {
        let (events, not_published) = match &applied.published {
            Ok(published) => (event_types(published), None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        Self {
            after: Amounts::of(&applied.payment),
            refund: None,
            events,
            not_published,
        }
    }

    pub fn of_rejection(applied: &Applied) -> Self {
        Self {
            refund: refund_of_rejection(&applied.payment).map(RefundDone::of),
            ..Self::of_release(applied)
        }
    }
}

impl RefundDone {
    fn of(refund: &Refund) -> Self {
        Self {
            refund_id: refund.refund_id().map(|id| id.as_str().to_owned()),
            amount: refund.amount(),
            status: refund.status(),
            code: refund.code().map(str::to_owned),
        }
    }
}

impl From<&ReviewError> for NotDone {
    fn from(error: &ReviewError) -> Self {
        match error {
            ReviewError::NotFound => Self::refused("not_found", error),
            ReviewError::NotQuarantined => Self::refused("not_quarantined", error),
            ReviewError::AlreadyRefunded => Self::refused("already_refunded", error),
            ReviewError::BeingRefunded => Self::refused("being_refunded", error),
            ReviewError::OtherItems => Self::refused("other_items", error),
            ReviewError::NoMoney => Self::refused("no_money", error),
            ReviewError::NotRefundable(_) => Self::refused("not_refundable", error),
            ReviewError::Unavailable(_) => Self::failed("unavailable", error),
        }
    }
}
