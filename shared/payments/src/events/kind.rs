//! Lists the types of events.

use serde::Deserialize;

use crate::model::{RefundStatus, Status};

/// The type of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum EventKind {
    /// A checkout was created.
    PaymentCreated,
    /// The redirect URL is known.
    PaymentAwaitingCustomer,
    /// The platform requests data from the shopper.
    PaymentAwaitingClarification,
    /// The shopper has paid. The platform has not confirmed that the money arrived.
    PaymentAwaitingConfirmation,
    /// The checkout expired while the payment was undecided.
    CheckoutExpired,
    /// The payment is paid.
    PaymentSucceeded,
    /// The payment is not paid. If an operator rejected its money, all of it was refunded.
    PaymentDeclined,
    /// The payment could not be started.
    PaymentFailed,
    /// The payment is in quarantine. An operator must review it.
    PaymentQuarantined,
    /// The platform reported a payment that this service did not create.
    PaymentUnmatched,
    /// More was refunded than was paid.
    PaymentOverrefunded,
    /// A refund was requested from us, or the platform reported a refund without a final outcome.
    RefundPending,
    /// The money was refunded.
    RefundSucceeded,
    /// The refund was declined.
    RefundDeclined,
    /// The outcome of the refund is unknown.
    RefundUnknown,
    /// The bank or the platform took the refund back.
    RefundReturned,
    /// Another payment had already paid the order.
    OrderPaidTwice,
    /// The platform records and ours differ.
    ReconciliationDifference,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [EventKind; 18] = [
        EventKind::PaymentCreated,
        EventKind::PaymentAwaitingCustomer,
        EventKind::PaymentAwaitingClarification,
        EventKind::PaymentAwaitingConfirmation,
        EventKind::CheckoutExpired,
        EventKind::PaymentSucceeded,
        EventKind::PaymentDeclined,
        EventKind::PaymentFailed,
        EventKind::PaymentQuarantined,
        EventKind::PaymentUnmatched,
        EventKind::PaymentOverrefunded,
        EventKind::RefundPending,
        EventKind::RefundSucceeded,
        EventKind::RefundDeclined,
        EventKind::RefundUnknown,
        EventKind::RefundReturned,
        EventKind::OrderPaidTwice,
        EventKind::ReconciliationDifference,
    ];

    /// Returns the `type` of the CloudEvent.
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::PaymentCreated => "payment.created",
            EventKind::PaymentAwaitingCustomer => "payment.awaiting_customer",
            EventKind::PaymentAwaitingClarification => "payment.awaiting_clarification",
            EventKind::PaymentAwaitingConfirmation => "payment.awaiting_confirmation",
            EventKind::CheckoutExpired => "checkout.expired",
            EventKind::PaymentSucceeded => "payment.succeeded",
            EventKind::PaymentDeclined => "payment.declined",
            EventKind::PaymentFailed => "payment.failed",
            EventKind::PaymentQuarantined => "payment.quarantined",
            EventKind::PaymentUnmatched => "payment.unmatched",
            EventKind::PaymentOverrefunded => "payment.overrefunded",
            EventKind::RefundPending => "refund.pending",
            EventKind::RefundSucceeded => "refund.succeeded",
            EventKind::RefundDeclined => "refund.declined",
            EventKind::RefundUnknown => "refund.unknown",
            EventKind::RefundReturned => "refund.returned",
            EventKind::OrderPaidTwice => "order.paid_twice",
            EventKind::ReconciliationDifference => "reconciliation.difference",
        }
    }

    /// Returns the kind with this `type`; `None` if no kind has this `type`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Returns the kind that is emitted when a payment reaches this status; `None` if the status has no event.
    pub fn of_status(status: Status) -> Option<Self> {
        Some(match status {
            Status::Created => EventKind::PaymentCreated,
            Status::Processing => return None,
            Status::AwaitingCustomer => EventKind::PaymentAwaitingCustomer,
            Status::AwaitingClarification => EventKind::PaymentAwaitingClarification,
            Status::AwaitingConfirmation => EventKind::PaymentAwaitingConfirmation,
            Status::Succeeded | Status::PartiallyRefunded | Status::Refunded => {
                EventKind::PaymentSucceeded
            }
            Status::Declined => EventKind::PaymentDeclined,
            Status::Failed => EventKind::PaymentFailed,
            Status::Quarantined => EventKind::PaymentQuarantined,
            Status::Unmatched => EventKind::PaymentUnmatched,
        })
    }

    /// Returns the kind that is emitted when a refund reaches this status.
    pub fn of_refund(status: RefundStatus) -> Self {
        match status {
            RefundStatus::Pending => EventKind::RefundPending,
            RefundStatus::Unknown => EventKind::RefundUnknown,
            RefundStatus::Succeeded => EventKind::RefundSucceeded,
            RefundStatus::Declined => EventKind::RefundDeclined,
            RefundStatus::Returned => EventKind::RefundReturned,
        }
    }
}

impl TryFrom<String> for EventKind {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::parse(&name).ok_or("unknown event type")
    }
}
