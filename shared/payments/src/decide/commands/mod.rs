//! What is wanted of a payment: one file for each kind of command.

mod conclude;
mod create;
mod erase;
mod expire;
mod poll;
mod refund;
mod review;

use std::collections::BTreeSet;

use ecommpay::fields::ProjectId;

pub(crate) use self::review::rejection_refund_prefix;
use super::{Change, emit};
use crate::model::ids::MerchantId;
use crate::model::schedule::Schedule;
use crate::model::timestamp::Timestamp;
use crate::model::{Order, Payment, QuarantineItem, RefundOrder, Verdict};

/// What is wanted of a payment.
#[derive(Debug, Clone, Copy)]
pub enum Command<'a> {
    /// A new payment. A Gate sale is about to be sent; one write stores it and claims the sending.
    Create {
        /// The project that takes the money.
        project_id: ProjectId,
        /// The merchant's id.
        payment_id: &'a MerchantId,
        /// What is ordered.
        order: &'a Order,
    },
    /// The next attempt of a payment that has failed, for the same money.
    Retry {
        /// What is ordered.
        order: &'a Order,
    },
    /// Sends a sale again whose outcome is not known, with the same id: the platform's own rule.
    Resend,
    /// Reserves a refund and claims its sending.
    Refund(&'a RefundOrder),
    /// Repeats, or ends, a refund whose outcome is not known, as far as a signed answer allows it.
    RepeatRefund(&'a MerchantId),
    /// An operator decides about quarantined money.
    Review {
        /// What is decided.
        verdict: Verdict,
        /// Who decides.
        by: &'a str,
        /// What they have looked at; nothing else is settled.
        items: &'a BTreeSet<QuarantineItem>,
    },
    /// Claims a status request.
    Poll {
        /// The times of status requests.
        schedule: &'a Schedule,
        /// The request must be due at or before this time.
        due_by: Timestamp,
    },
    /// Claims a status request that is sent by hand. The next one of the schedule comes in its time.
    PollNow,
    /// What follows once the platform has answered "not found": the sale is sent again, or the payment
    /// fails, or what needed a recheck is settled.
    Conclude(&'a Schedule),
    /// Emits the end of a checkout whose time ran out while the payment was undecided.
    Expire,
    /// Forgets who the customer was, when it is time.
    Erase(&'a Schedule),
    /// Emits what is known and was not emitted yet, because one change has room for some events only,
    /// or because it had to wait for the answer to a request of ours that never came.
    EmitPending,
}

/// Why a command is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// The id names another refund.
    OtherContent,
    /// The payment is not one that can be refunded now.
    NotRefundable,
    /// The payment has the maximum number of refunds.
    TooMany,
    /// More than what is left, which is this much.
    MoreThanLeft(u64),
    /// The shopper's address is neither given nor known.
    NoAddress,
    /// No money of it is known in the currency of the order, so there is none to take as paid or to
    /// give back from here.
    NoMoney,
}

/// What `command` changes in `payment` (`None`: nothing is known of it yet). `Ok(None)`: nothing is to
/// be done.
pub fn execute(
    payment: Option<&Payment>,
    command: Command<'_>,
    at: Timestamp,
) -> Result<Option<Change>, Rejection> {
    if let Command::Create {
        project_id,
        payment_id,
        order,
    } = command
    {
        return Ok(Some(create::create(project_id, payment_id, order, at)));
    }
    let Some(payment) = payment else {
        return Ok(None);
    };
    Ok(match command {
        Command::Create { .. } => None,
        Command::Retry { order } => create::retry(payment, order, at),
        Command::Resend => create::resend(payment, at),
        Command::Refund(order) => return refund::reserve(payment, order, at),
        Command::RepeatRefund(refund_id) => refund::repeat(payment, refund_id, at),
        Command::Review { verdict, by, items } => {
            return review::review(payment, verdict, by, items, at);
        }
        Command::Poll { schedule, due_by } => poll::scheduled(payment, schedule, due_by, at),
        Command::PollNow => Some(poll::now(payment, at)),
        Command::Conclude(schedule) => conclude::conclude(payment, schedule, at),
        Command::Expire => expire::expire(payment, at),
        Command::Erase(schedule) => erase::erase(payment, schedule, at),
        Command::EmitPending => {
            emit::has_pending_events(payment, at).then(|| emit::emit(payment.clone(), at))
        }
    })
}
