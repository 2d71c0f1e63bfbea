//! Lists the types of events.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde::de::{Deserialize, Deserializer, Error};

use crate::model::{RefundStatus, Status};

/// The type of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// The payment was created.
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
    /// An operator must review the payment.
    PaymentQuarantined,
    /// The platform reported a payment that this service did not create.
    PaymentUnmatched,
    /// More was refunded than was paid.
    PaymentOverrefunded,
    /// A refund has no result yet.
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
    /// A type that only a newer release knows. Its events are sent as they are stored.
    Other(&'static str),
}

/// The first version of each schema.
pub(super) const FIRST_VERSION: u32 = 1;

/// The types of [`EventKind::Other`]. A type is stored once and never freed, so that an [`EventKind`] can be copied.
static OTHERS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

impl EventKind {
    /// Every kind that this release knows.
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
            EventKind::Other(name) => name,
        }
    }

    /// Returns the version of the schema of the events that this release creates. The schema is open to new fields. Any
    /// other change of the schema raises the version of its type: add a `match` over the kinds then.
    pub fn version(self) -> u32 {
        FIRST_VERSION
    }

    /// Returns the kind with this `type`; `None` if this release does not know the `type`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Returns the kind of a stored event, which a newer release can have written.
    pub fn of_stored(name: &str) -> Self {
        Self::parse(name).unwrap_or_else(|| {
            let mut others = OTHERS.lock().unwrap_or_else(PoisonError::into_inner);
            let known = others.get(name).copied();
            let name = known.unwrap_or_else(|| Box::leak(name.into()));
            others.insert(name);
            EventKind::Other(name)
        })
    }

    /// Returns the kind for a payment that reaches this status; `None` if the status has no event.
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

    /// Returns the kind for a refund that reaches this status.
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

/// Refuses a type that this release does not know.
impl<'de> Deserialize<'de> for EventKind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        Self::parse(&name).ok_or_else(|| D::Error::custom("unknown event type"))
    }
}
