//! The numbered announcements about a payment: CloudEvents 1.0 in JSON.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ids::PaymentKey;
use crate::json_text::{json_text, text};
use crate::log::{Line, Metric, Unit};
use crate::model::{Payment, RefundStatus, Status};
use crate::sha256;
use crate::timestamp::Timestamp;
use crate::view::{DiscrepancyView, OperationView, PaymentView, RefundView};

/// What an event announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum EventKind {
    /// A checkout was created.
    PaymentCreated,
    /// The bank's address is there.
    PaymentAwaitingCustomer,
    /// The platform asks for data.
    PaymentAwaitingClarification,
    /// The shopper has paid; the platform has not confirmed that the money came.
    PaymentAwaitingConfirmation,
    /// The checkout ended while the payment was undecided.
    CheckoutExpired,
    /// Paid.
    PaymentSucceeded,
    /// Not paid.
    PaymentDeclined,
    /// Not started.
    PaymentFailed,
    /// It looks like money, but not like what was ordered.
    PaymentQuarantined,
    /// A payment that nobody created here.
    PaymentUnmatched,
    /// More went back than was paid.
    PaymentOverrefunded,
    /// A refund was asked for, or heard of.
    RefundPending,
    /// The money went back.
    RefundSucceeded,
    /// The refund was refused.
    RefundDeclined,
    /// It is not known whether the refund was taken.
    RefundUnknown,
    /// A refund was taken back.
    RefundReturned,
    /// Another payment had paid the order before.
    OrderPaidTwice,
    /// The platform's books and ours differ.
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

    /// The event's `type`.
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

    /// The kind with this `type`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// What announces that a payment has reached this status, if anything does.
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

    /// What announces that a refund has reached this status.
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
        Self::parse(&name).ok_or("not a type of event")
    }
}

/// One event, ready to be stored and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The payment it is about.
    pub key: PaymentKey,
    /// Its number within the payment, from 1 without gaps.
    pub sequence: u64,
    /// What it announces.
    pub kind: EventKind,
    /// `<project_id>/<payment_id>/<sequence>`
    pub id: String,
    /// The whole CloudEvent.
    pub body: String,
    /// What must be kept of it beside its key, number and kind.
    pub kept: String,
}

/// What is counted of the events that were sent, by kind.
const COUNTED: [(&str, EventKind); 6] = [
    ("checkouts", EventKind::PaymentCreated),
    ("paid", EventKind::PaymentSucceeded),
    ("declined", EventKind::PaymentDeclined),
    ("failed", EventKind::PaymentFailed),
    (
        "awaiting_confirmation",
        EventKind::PaymentAwaitingConfirmation,
    ),
    ("refunded", EventKind::RefundSucceeded),
];

/// What an operator must know of.
const ALARMING: [(&str, EventKind); 7] = [
    ("quarantined", EventKind::PaymentQuarantined),
    ("unmatched", EventKind::PaymentUnmatched),
    ("overrefunded", EventKind::PaymentOverrefunded),
    ("refund_unknown", EventKind::RefundUnknown),
    ("refund_returned", EventKind::RefundReturned),
    ("order_paid_twice", EventKind::OrderPaidTwice),
    (
        "reconciliation_differences",
        EventKind::ReconciliationDifference,
    ),
];

/// The metrics of events that were sent.
pub fn metrics(sent: &[EventKind]) -> Vec<Metric> {
    let names = ALARMING.into_iter().chain(COUNTED);
    let metrics = names.map(|(name, kind)| Metric {
        name,
        unit: Unit::Count,
        value: sent.iter().map(|sent| u64::from(*sent == kind)).sum(),
    });
    metrics.filter(|metric| metric.value > 0).collect()
}

/// Counts such events in a line of their own, if they are counted, and warns of what an operator must
/// know.
pub fn count(payment: &PaymentKey, sent: &[EventKind]) {
    let metrics = metrics(sent);
    if metrics.is_empty() {
        return;
    }
    let is_alarming = ALARMING.iter().any(|(_, kind)| sent.contains(kind));
    let line = match is_alarming {
        true => Line::warn("an operator must look"),
        false => Line::info("announced"),
    };
    line.with("payment", payment.to_string())
        .with_metrics(&[], &metrics)
        .write();
}

/// Warns of an alert of an event that was published.
pub(crate) fn warn_of(payment: &PaymentKey, alert: Alert) {
    let (name, what) = match alert {
        Alert::SuccessWithdrawn => (
            "success_withdrawn",
            "a payment that was announced as paid is declined",
        ),
        Alert::RefundClarification => (
            "refund_clarification",
            "the platform asks for data of a refund",
        ),
    };
    Line::warn(what)
        .with("payment", payment.to_string())
        .with_metrics(&[], &[Metric::once(name)])
        .write();
}

/// What an operator must know of an event and its kind alone does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alert {
    /// A payment that was announced as paid is declined: goods may be on their way.
    SuccessWithdrawn,
    /// A refund waits for data, and the platform declines it after 30 minutes.
    RefundClarification,
}

/// What an event is about, beside the payment itself.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum About<'a> {
    /// The payment, by the operation that decides it.
    Payment {
        /// That operation, if there is one.
        operation: Option<OperationView<'a>>,
        /// It is paid after an event had said that it would not be, or after its checkout had expired.
        #[serde(skip_serializing_if = "is_false")]
        late: bool,
        /// The type of an earlier event that no longer holds.
        #[serde(skip_serializing_if = "Option::is_none")]
        corrects: Option<&'static str>,
    },
    /// One refund of it.
    Refund {
        /// The refund.
        refund: RefundView<'a>,
        /// The type of an earlier event that no longer holds.
        #[serde(skip_serializing_if = "Option::is_none")]
        corrects: Option<&'static str>,
    },
    /// The other payments that had paid its order before.
    PaidBefore {
        /// The operation that paid it here.
        operation: Option<OperationView<'a>>,
        /// The others.
        other_payment_ids: &'a BTreeSet<String>,
    },
    /// How the platform's books differ about one of its operations.
    Difference {
        /// The operation, if it is known here.
        operation: Option<OperationView<'a>>,
        /// What differs.
        difference: DiscrepancyView<'a>,
    },
}

fn is_false(value: &bool) -> bool {
    !value
}

/// What an event says: the payment as it is after the change, and what the event is about.
#[derive(Serialize)]
struct Data<'a> {
    #[serde(flatten)]
    payment: PaymentView<'a>,
    #[serde(flatten)]
    about: About<'a>,
}

/// The event as it is sent: CloudEvents 1.0.
#[derive(Serialize)]
struct Envelope<'a> {
    specversion: &'static str,
    id: &'a str,
    source: String,
    subject: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    time: Timestamp,
    datacontenttype: &'static str,
    data: &'a RawValue,
}

/// The part of a CloudEvent that does not follow from the payment's key, its number and its kind.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
    time: Timestamp,
}

/// What an alert takes from what an event says.
#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    corrects: Option<String>,
    #[serde(default)]
    refund: Option<RefundDetails>,
}

#[derive(Deserialize)]
struct RefundDetails {
    #[serde(default)]
    clarification_fields: Vec<IgnoredAny>,
}

/// What the envelope takes from what an event says.
#[derive(Deserialize)]
struct Subject<'a> {
    /// As first spelled, not as in the key.
    #[serde(borrow)]
    payment_id: Cow<'a, str>,
}

impl Event {
    /// Announces `payment` as it is after the change.
    pub fn new(payment: &Payment, kind: EventKind, about: About<'_>, at: Timestamp) -> Self {
        let data = json_text(&Data {
            payment: PaymentView::new(payment, at),
            about,
        });
        let parts = Kept {
            data: &data,
            time: at,
        };
        let kept = json_text(&parts);
        let subject = payment.payment_id();
        let (key, sequence) = (payment.key(), payment.sequence());
        Self::enveloped(key, subject, sequence, kind, &parts, text(kept))
    }

    /// The event of which this was kept, byte for byte.
    pub fn of_kept(
        key: PaymentKey,
        sequence: u64,
        kind: EventKind,
        kept: &str,
    ) -> serde_json::Result<Self> {
        let parts: Kept<'_> = serde_json::from_str(kept)?;
        let Subject { payment_id } = serde_json::from_str(parts.data.get())?;
        let kept = kept.to_owned();
        let event = Self::enveloped(key, &payment_id, sequence, kind, &parts, kept);
        Ok(event)
    }

    /// The event with everything around what it says.
    fn enveloped(
        key: PaymentKey,
        subject: &str,
        sequence: u64,
        kind: EventKind,
        parts: &Kept<'_>,
        kept: String,
    ) -> Self {
        let project_id = key.project_id();
        let id = format!("{project_id}/{subject}/{sequence}");
        let body = json_text(&Envelope {
            specversion: "1.0",
            id: &id,
            source: format!("/ecommpay/{project_id}"),
            subject,
            kind: kind.as_str(),
            time: parts.time,
            datacontenttype: "application/json",
            data: parts.data,
        });
        Self {
            body: text(body),
            kept,
            key,
            sequence,
            kind,
            id,
        }
    }

    /// What an operator must know of it beside its kind.
    pub(crate) fn alert(&self) -> Option<Alert> {
        let details = || {
            let parts: Kept<'_> = serde_json::from_str(&self.kept).ok()?;
            serde_json::from_str::<Details>(parts.data.get()).ok()
        };
        match self.kind {
            EventKind::PaymentDeclined => {
                details()?.corrects?;
                Some(Alert::SuccessWithdrawn)
            }
            EventKind::RefundPending => {
                let fields = details()?.refund?.clarification_fields;
                (!fields.is_empty()).then_some(Alert::RefundClarification)
            }
            _ => None,
        }
    }

    /// The FIFO group: all events of one payment. Hashed, as ids can have any form.
    pub fn message_group_id(&self) -> String {
        sha256::hex(self.key.to_string().as_bytes())
    }

    /// The FIFO deduplication id: one per event, and another one for each repeat, which the queue
    /// would drop for five minutes otherwise.
    pub fn message_deduplication_id(&self, repeat: Option<&str>) -> String {
        match repeat {
            None => sha256::hex(self.id.as_bytes()),
            Some(repeat) => sha256::hex(format!("{}/{repeat}", self.id).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operator_must_see_is_counted_where_it_is_sent() {
        let sent = [
            EventKind::ReconciliationDifference,
            EventKind::PaymentSucceeded,
            EventKind::ReconciliationDifference,
            EventKind::OrderPaidTwice,
            EventKind::RefundReturned,
            EventKind::PaymentAwaitingConfirmation,
        ];
        let counted: Vec<(&str, u64)> = metrics(&sent)
            .iter()
            .map(|metric| (metric.name, metric.value))
            .collect();
        let expected = [
            ("refund_returned", 1),
            ("order_paid_twice", 1),
            ("reconciliation_differences", 2),
            ("paid", 1),
            ("awaiting_confirmation", 1),
        ];
        assert_eq!(counted, expected);
        assert!(metrics(&[EventKind::RefundPending]).is_empty());
    }

    #[test]
    fn an_alert_follows_from_what_an_event_says() {
        let alert = |kind, data: &str| {
            let key = PaymentKey::new(ecommpay::fields::ProjectId::new(211).unwrap(), "p");
            let kept = format!(r#"{{"data":{data},"time":"2019-07-02T09:28:20.123Z"}}"#);
            Event::of_kept(key, 1, kind, &kept).unwrap().alert()
        };
        let withdrawn = r#"{"payment_id":"p","corrects":"payment.succeeded"}"#;
        let asking = r#"{"payment_id":"p","refund":{"clarification_fields":["customer.email"]}}"#;
        let plain = r#"{"payment_id":"p","refund":{"clarification_fields":[]}}"#;
        for (kind, data, expected) in [
            (
                EventKind::PaymentDeclined,
                withdrawn,
                Some(Alert::SuccessWithdrawn),
            ),
            (EventKind::PaymentDeclined, plain, None),
            (EventKind::PaymentSucceeded, withdrawn, None),
            (
                EventKind::RefundPending,
                asking,
                Some(Alert::RefundClarification),
            ),
            (EventKind::RefundPending, plain, None),
        ] {
            assert_eq!(alert(kind, data), expected, "{kind:?} {data}");
        }
    }
}
