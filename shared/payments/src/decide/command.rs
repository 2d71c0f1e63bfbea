//! The requests of storefronts, operators and the schedule to change a payment.

use std::collections::BTreeSet;

use ecommpay::fields::ProjectId;

use crate::model::ids::MerchantId;
use crate::model::schedule::Schedule;
use crate::model::timestamp::Timestamp;
use crate::model::{Order, QuarantineItem, RefundOrder, Verdict};

/// A request of a storefront, an operator or the schedule to change a payment.
#[derive(Debug, Clone, Copy)]
pub enum Command<'a> {
    /// Creates a payment. For a Gate sale the same write claims the sale request.
    Create {
        /// The project that takes the money.
        project_id: ProjectId,
        /// The merchant's id.
        payment_id: &'a MerchantId,
        /// The order.
        order: &'a Order,
    },
    /// Starts the next attempt of a failed payment, for the same amount, currency and channel.
    Retry {
        /// The order.
        order: &'a Order,
    },
    /// Claims another sale request with the same id, if the outcome of the last request is unknown.
    Resend,
    /// Reserves a refund and claims its request.
    Refund(&'a RefundOrder),
    /// Claims another request for a refund with unknown outcome, or ends it. A signed answer must have shown
    /// that the platform does not have it.
    RepeatRefund(&'a MerchantId),
    /// Records an operator's decision about quarantined money.
    Review {
        /// The decision.
        verdict: Verdict,
        /// The operator.
        by: &'a str,
        /// The items that were shown to the operator. No other item is settled.
        items: &'a BTreeSet<QuarantineItem>,
    },
    /// Claims a scheduled status request.
    Poll {
        /// The schedule.
        schedule: &'a Schedule,
        /// The request must be due at or before this time.
        due_by: Timestamp,
    },
    /// Claims a status request by hand. It does not move the schedule.
    PollNow,
    /// Acts on the answer "not found": sends the sale again, ends it as failed, or ends a recheck.
    ResolveNotFound(&'a Schedule),
    /// Emits `checkout.expired` if the checkout has expired and the payment is undecided.
    Expire,
    /// Erases the customer when the retention time is over.
    Erase(&'a Schedule),
    /// Emits pending events: one change has at most 8, and the event of an external refund waits for its
    /// attribution window.
    EmitPending,
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// The id belongs to another refund.
    OtherContent,
    /// The payment cannot be refunded in its status.
    NotRefundable,
    /// The payment has the maximum number of refunds.
    TooMany,
    /// The amount exceeds the refundable amount, which is given.
    MoreThanLeft(u64),
    /// The shopper's IP address is neither in the request nor in the order.
    NoAddress,
    /// The payment has no money in the ordered currency that could be released or refunded.
    NoMoney,
}
