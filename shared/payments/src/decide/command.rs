//! Defines the commands, and why a command can be refused.

use std::collections::BTreeSet;

use ecommpay::fields::ProjectId;

use crate::model::ids::MerchantId;
use crate::model::schedule::Schedule;
use crate::model::timestamp::Timestamp;
use crate::model::{Order, QuarantineItem, RefundOrder, Verdict};

/// A request to change a payment, from a storefront, an operator or the schedule.
#[derive(Debug, Clone, Copy)]
pub enum Command<'a> {
    /// Creates a payment, and claims its sale request in the same write. A Payment Page link has no sale request.
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
    /// Claims a repeat of a sale request with unknown outcome. The number and the rate of these repeats are limited.
    Resend,
    /// Reserves the amount of a refund and claims the refund request.
    Refund(&'a RefundOrder),
    /// Claims a repeat of a refund request with unknown outcome, or ends the refund if a repeat is impossible. A
    /// signed answer must have shown that the platform does not have the refund.
    RepeatRefund(&'a MerchantId),
    /// Counts a try to answer an open clarification request. The value is the
    /// [`Waiting::digest`](crate::model::Waiting::digest) of the request.
    CountClarificationTry(&'a str),
    /// Records an operator's decision about quarantine items.
    Review {
        /// The decision.
        verdict: Verdict,
        /// The operator.
        by: &'a str,
        /// The items that were shown to the operator. The decision settles only these items.
        items: &'a BTreeSet<QuarantineItem>,
    },
    /// Claims a scheduled status request.
    Poll {
        /// The schedule.
        schedule: &'a Schedule,
        /// The status request is claimed only if it is due at this time or earlier.
        due_by: Timestamp,
    },
    /// Claims an unscheduled status request, and does not change the schedule.
    PollNow,
    /// Acts on the answer "not found": repeats or ends the sale, or ends a recheck.
    ResolveNotFound(&'a Schedule),
    /// Emits `checkout.expired` if the checkout has expired and the payment is undecided.
    Expire,
    /// Erases the customer's data if the retention time is over and no refund is open.
    Erase(&'a Schedule),
    /// Emits the events that earlier changes left pending. An event is pending for one of these reasons:
    /// - A change emits at most 8 events.
    /// - The event about an external refund waits up to 15 minutes, because the refund can turn out to be ours.
    /// - A release that did not know a word of the payment emitted no events.
    EmitPending,
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// The stored payment has a word that this release does not know ([`crate::model::document`]). A release that
    /// knows the word must execute the command.
    NeedsNewerRelease,
    /// The `refund_id` belongs to a refund request with other content, or to a refund that the platform reported.
    OtherContent,
    /// The payment cannot be refunded. Or an operator rejects the money, but was not shown every quarantine item.
    NotRefundable,
    /// The payment has the maximum number of refunds or of open refunds. Or the descriptions of its open refunds are
    /// too large.
    TooMany,
    /// The payment has the maximum number of attempts.
    TooManyAttempts,
    /// Another system made the payment that the platform has under this id.
    OtherSystem,
    /// The decision would exceed the maximum number of decisions, or of items in all decisions.
    TooManyDecisions,
    /// The amount is 0 or exceeds the refundable amount, which the variant contains in minor units.
    MoreThanLeft(u64),
    /// Neither the request nor the order contains the shopper's IP address.
    NoAddress,
    /// There is no money to release or to refund. Only money in the ordered currency can be released.
    NoMoney,
}
