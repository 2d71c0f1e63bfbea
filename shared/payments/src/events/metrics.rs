//! Makes the metrics and alerts of published events.

use ecommpay::gate::sendable_names;
use serde::Deserialize;

use super::envelope::{Event, StoredContent};
use super::kind::EventKind;
use crate::log::{Line, Metric, Unit};
use crate::model::ids::PaymentKey;

/// The metrics of events that need no operator.
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

/// The metrics of events that an operator must know about.
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

/// Counts the published events for each metric. Metrics without events are left out.
pub fn metrics(published: &[EventKind]) -> Vec<Metric> {
    let names = ALARMING.into_iter().chain(COUNTED);
    let metrics = names.map(|(name, kind)| Metric {
        name,
        unit: Unit::Count,
        value: published.iter().map(|one| u64::from(*one == kind)).sum(),
    });
    metrics.filter(|metric| metric.value > 0).collect()
}

/// Logs the metrics of published events, if there are any. The line is a warning if an operator must know about one
/// of the events.
pub fn count(payment: &PaymentKey, published: &[EventKind]) {
    let metrics = metrics(published);
    if metrics.is_empty() {
        return;
    }
    let is_alarming = ALARMING.iter().any(|(_, kind)| published.contains(kind));
    let line = match is_alarming {
        true => Line::warn("an operator must check this payment"),
        false => Line::info("events published"),
    };
    line.with("payment", payment.to_string())
        .with_metrics(&[], &metrics)
        .write();
}

/// Logs that another system made the payment that the platform has under our payment id.
pub(crate) fn log_foreign_payment(payment: &PaymentKey) {
    Line::warn("another system of the project already made a payment with this id")
        .with("payment", payment.to_string())
        .with_metrics(&[], &[Metric::once("foreign_payment")])
        .write();
}

pub(crate) fn log_alert(payment: &PaymentKey, alert: &Alert) {
    let (name, message) = match alert {
        Alert::SuccessWithdrawn => (
            "success_withdrawn",
            "an event said that the payment is paid, but the payment is declined",
        ),
        Alert::RefundClarification => (
            "refund_clarification",
            "the platform requests data for a refund",
        ),
        Alert::RefundRepeated => (
            "overrefunded",
            "the platform made a refund of ours more than once",
        ),
        Alert::UnsendableData(_) => (
            "unsendable_data",
            "the platform requests data with field names that no request to it can have",
        ),
        Alert::ForeignPayment => return log_foreign_payment(payment),
    };
    let line = match alert {
        Alert::UnsendableData(fields) => Line::warn(message).with("fields", fields.as_str()),
        _ => Line::warn(message),
    };
    line.with("payment", payment.to_string())
        .with_metrics(&[], &[Metric::once(name)])
        .write();
}

/// A reason to alert an operator. The type of an event does not show this reason, but the content does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alert {
    /// The payment is declined after a success was emitted. The shop has possibly shipped the goods.
    SuccessWithdrawn,
    /// A refund waits for data. Without the data, the platform declines the refund after 30 minutes.
    RefundClarification,
    /// The platform made a refund of ours more than once, so more money was refunded than requested.
    RefundRepeated,
    /// The platform requests data that cannot be sent, in the fields with these names.
    UnsendableData(String),
    /// The payment is in quarantine because another system made it.
    ForeignPayment,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    corrects: Option<String>,
    #[serde(default)]
    repeats: Option<String>,
    #[serde(default)]
    clarification_fields: Vec<String>,
    #[serde(default)]
    refund: Option<RefundDetails>,
    #[serde(default)]
    quarantine: Option<Vec<QuarantineDetails>>,
}

#[derive(Deserialize)]
struct QuarantineDetails {
    reason: String,
}

#[derive(Deserialize)]
struct RefundDetails {
    #[serde(default)]
    clarification_fields: Vec<String>,
}

pub(crate) fn alerts(event: &Event) -> Vec<Alert> {
    collect_alerts(event).unwrap_or_default()
}

/// Returns `None` if the content of the event cannot be read.
fn collect_alerts(event: &Event) -> Option<Vec<Alert>> {
    let details = || {
        let content: StoredContent<'_> = serde_json::from_str(&event.stored).ok()?;
        serde_json::from_str::<Details>(content.data.get()).ok()
    };
    let mut alerts = Vec::new();
    match event.kind {
        EventKind::PaymentDeclined if details()?.corrects.is_some() => {
            alerts.push(Alert::SuccessWithdrawn);
        }
        EventKind::PaymentAwaitingClarification => {
            alerts.extend(unsendable_data(&details()?.clarification_fields));
        }
        EventKind::RefundPending => {
            let fields = details()?.refund?.clarification_fields;
            if !fields.is_empty() {
                alerts.push(Alert::RefundClarification);
            }
            alerts.extend(unsendable_data(&fields));
        }
        EventKind::RefundSucceeded if details()?.repeats.is_some() => {
            alerts.push(Alert::RefundRepeated);
        }
        EventKind::PaymentQuarantined => {
            let mut items = details()?.quarantine?.into_iter();
            if items.any(|item| item.reason == "foreign_payment") {
                alerts.push(Alert::ForeignPayment);
            }
        }
        _ => {}
    }
    Some(alerts)
}

fn unsendable_data(fields: &[String]) -> Option<Alert> {
    let sendable = sendable_names(fields.iter().map(String::as_str));
    let names = fields.iter().map(String::as_str);
    let names: Vec<&str> = names.filter(|name| !sendable.contains(name)).collect();
    (!names.is_empty()).then(|| Alert::UnsendableData(names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_that_an_operator_must_know_about_are_counted() {
        let published = [
            EventKind::ReconciliationDifference,
            EventKind::PaymentSucceeded,
            EventKind::ReconciliationDifference,
            EventKind::OrderPaidTwice,
            EventKind::RefundReturned,
            EventKind::PaymentAwaitingConfirmation,
            EventKind::PaymentQuarantined,
            EventKind::PaymentUnmatched,
            EventKind::PaymentOverrefunded,
            EventKind::RefundUnknown,
        ];
        let counted: Vec<(&str, u64)> = metrics(&published)
            .iter()
            .map(|metric| (metric.name, metric.value))
            .collect();
        let expected = [
            ("quarantined", 1),
            ("unmatched", 1),
            ("overrefunded", 1),
            ("refund_unknown", 1),
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
    fn an_alert_follows_from_the_content_of_an_event() {
        let alerts = |kind, data: &str| {
            let key = PaymentKey::new(ecommpay::fields::ProjectId::new(211).unwrap(), "p");
            let stored = format!(r#"{{"data":{data},"time":"2019-07-02T09:28:20.123Z"}}"#);
            super::alerts(&Event::from_stored(key, 1, kind, &stored).unwrap())
        };
        let withdrawn = r#"{"payment_id":"p","corrects":"payment.succeeded","quarantine":null}"#;
        let with_fields =
            r#"{"payment_id":"p","refund":{"clarification_fields":["customer.email"]}}"#;
        let repeated = r#"{"payment_id":"p","repeats":"r-1","refund":{"clarification_fields":[]}}"#;
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
                EventKind::RefundSucceeded,
                repeated,
                Some(Alert::RefundRepeated),
            ),
            (EventKind::RefundSucceeded, plain, None),
            (
                EventKind::RefundPending,
                with_fields,
                Some(Alert::RefundClarification),
            ),
            (EventKind::RefundPending, plain, None),
            (
                EventKind::PaymentAwaitingClarification,
                r#"{"payment_id":"p","clarification_fields":["customer.email"]}"#,
                None,
            ),
            (
                EventKind::PaymentAwaitingClarification,
                r#"{"payment_id":"p","clarification_fields":["customer.e-mail","customer.email","customer"]}"#,
                Some(Alert::UnsendableData("customer.e-mail, customer".into())),
            ),
            (
                EventKind::PaymentQuarantined,
                r#"{"payment_id":"p","quarantine":[{"reason":"amount_differs"},{"reason":"foreign_payment"}]}"#,
                Some(Alert::ForeignPayment),
            ),
            (
                EventKind::PaymentQuarantined,
                r#"{"payment_id":"p","quarantine":[{"reason":"amount_differs"}]}"#,
                None,
            ),
        ] {
            let expected = Vec::from_iter(expected);
            assert_eq!(alerts(kind, data), expected, "{kind:?} {data}");
        }
    }
}
