//! Defines the commands, and the reasons for which a command is refused.

use std::collections::BTreeSet;

use ecommpay::fields::ProjectId;

use crate::model::ids::MerchantId;
use crate::model::schedule::Schedule;
use crate::model::timestamp::Timestamp;
use crate::model::{Order, QuarantineItem, RefundOrder, Verdict};

/// A request to change a payment, from a storefront, an operator or the schedule.
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
    /// Starts the next attempt of a failed payment. The amount, the currency, the channel, the storefront and the
    /// `order_id` must be the same as before.
    Retry {
        /// The order.
        order: &'a Order,
    },
    /// Claims a repeat of the sale request with the same id, if the outcome of the last try is unknown. The number of
    /// these repeats and the time between two repeats have limits.
    Resend,
    /// Reserves the amount of a refund and claims the refund request.
    Refund(&'a RefundOrder),
    /// Claims a repeat of the request for a refund with unknown outcome. If the platform has refused a repeat, ends the
    /// refund as declined instead. A signed answer must have shown that the platform does not have the refund.
    RepeatRefund(&'a MerchantId),
    /// Counts that data is sent in answer to an open request for clarification. The value is the
    /// [`Waiting::digest`](crate::model::Waiting::digest) of the request.
    CountClarificationTry(&'a str),
    /// Records an operator's decision about quarantined money.
    Review {
        /// The decision.
        verdict: Verdict,
        /// The operator.
        by: &'a str,
        /// The items that were shown to the operator. The decision settles no other item.
        items: &'a BTreeSet<QuarantineItem>,
    },
    /// Claims a scheduled status request.
    Poll {
        /// The schedule.
        schedule: &'a Schedule,
        /// The status request must be due at or before this time.
        due_by: Timestamp,
    },
    /// Claims an unscheduled status request. The times of the scheduled requests do not change.
    PollNow,
    /// Acts on the answer "not found": claims a repeat of the sale, ends the sale as failed, or ends a recheck.
    ResolveNotFound(&'a Schedule),
    /// Emits `checkout.expired` if the checkout has expired and the payment is undecided.
    Expire,
    /// Erases the customer's data if the retention time is over and no refund is open.
    Erase(&'a Schedule),
    /// Emits the events that earlier changes left pending. A change emits at most 8 events. Also, the event of an
    /// external refund waits for 15 minutes while the refund may still turn out to be ours.
    EmitPending,
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// The document of the payment has a word that this release does not know. A function of a newer release must execute
    /// the command.
    NeedsNewerRelease,
    /// The `refund_id` belongs to a refund request with other content.
    OtherContent,
    /// The payment cannot be refunded, or an operator rejects the money without listing every item in quarantine.
    NotRefundable,
    /// With this refund, the payment would exceed a limit: the number of refunds, the number of open refunds, or the
    /// size of the descriptions of the open refunds.
    TooMany,
    /// The payment has the maximum number of attempts.
    TooManyAttempts,
    /// Another system made the payment that the platform has under this payment id.
    OtherSystem,
    /// With this decision, the payment would exceed the maximum number of decisions, or the maximum number of items in
    /// all decisions.
    TooManyDecisions,
    /// The amount is 0 or exceeds the refundable amount. The variant contains the refundable amount in minor units.
    MoreThanLeft(u64),
    /// Neither the request nor the order contains the shopper's IP address.
    NoAddress,
    /// The payment has no money that could be released or refunded. Only money in the ordered currency can be released.
    NoMoney,
}
