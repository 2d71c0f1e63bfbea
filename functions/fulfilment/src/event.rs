//! Parses the events of the queue: CloudEvents 1.0 in JSON.

use ecommpay::fields::ProjectId;
use payments::PaymentKey;
use payments::events::EventKind;
use payments::model::Status;
use serde::Deserialize;
use thiserror::Error;

/// The parts of an event that the consumer needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The payment.
    pub key: PaymentKey,
    /// The sequence number of the event, unique within the payment.
    pub sequence: u64,
    /// The event type; `None` if this consumer does not know the type. This is no error, because later releases can add
    /// types.
    pub kind: Option<EventKind>,
    /// The state of the payment after the change.
    pub state: State,
}

/// The parts of a payment's state that the consumer needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// The status of the payment.
    pub status: Status,
    /// In minor units.
    pub paid_amount: u64,
    /// In minor units.
    pub refunded_amount: u64,
}

/// The reason why a message is not a valid event. It quotes nothing from the message, because the message can have
/// personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidEvent {
    /// The text is not JSON, or lacks a field.
    #[error("not JSON, or a field is missing or has the wrong type")]
    Malformed,
    /// The text has another `specversion`.
    #[error("not CloudEvents 1.0")]
    UnsupportedVersion,
    /// The ids contradict each other.
    #[error("id, source, subject and data do not identify the same event")]
    Inconsistent,
}

#[derive(Deserialize)]
struct CloudEvent {
    specversion: String,
    id: String,
    source: String,
    subject: String,
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    payment_id: String,
    sequence: u64,
    status: Status,
    paid_amount: u64,
    refunded_amount: u64,
}

impl Event {
    /// Parses a CloudEvent.
    pub fn parse(body: &str) -> Result<Self, InvalidEvent> {
        let event: CloudEvent = serde_json::from_str(body).map_err(|_| InvalidEvent::Malformed)?;
        if event.specversion != "1.0" {
            return Err(InvalidEvent::UnsupportedVersion);
        }
        let project_id = event
            .source
            .strip_prefix("/ecommpay/")
            .and_then(|project| ProjectId::new(project.parse().ok()?).ok())
            .ok_or(InvalidEvent::Inconsistent)?;
        let Data {
            payment_id,
            sequence,
            status,
            paid_amount,
            refunded_amount,
        } = event.data;
        let id = format!("{project_id}/{payment_id}/{sequence}");
        if event.id != id || event.subject != payment_id || sequence == 0 {
            return Err(InvalidEvent::Inconsistent);
        }
        Ok(Self {
            key: PaymentKey::new(project_id, &payment_id),
            sequence,
            kind: EventKind::parse(&event.kind),
            state: State {
                status,
                paid_amount,
                refunded_amount,
            },
        })
    }
}

/// Events for tests. All events are of one payment of 10.00 EUR.
#[cfg(test)]
pub mod samples {
    use super::*;

    /// Returns an event of the type `kind`. The paid amount is 10.00 EUR if money has arrived in this status, otherwise
    /// 0.
    pub fn event(sequence: u64, kind: &str, status: Status, refunded_amount: u64) -> Event {
        let paid_amount = match status {
            Status::Created
            | Status::Processing
            | Status::AwaitingCustomer
            | Status::AwaitingClarification
            | Status::AwaitingConfirmation
            | Status::Declined
            | Status::Failed => 0,
            Status::Succeeded
            | Status::PartiallyRefunded
            | Status::Refunded
            | Status::Quarantined
            | Status::Unmatched => 1000,
        };
        Event {
            key: PaymentKey::new(ProjectId::new(211).unwrap(), "p-1"),
            sequence,
            kind: EventKind::parse(kind),
            state: State {
                status,
                paid_amount,
                refunded_amount,
            },
        }
    }

    /// Returns the event of a payment that is paid as ordered.
    pub fn succeeded(sequence: u64) -> Event {
        event(sequence, "payment.succeeded", Status::Succeeded, 0)
    }

    /// Returns the event of a refund that succeeded. `amount` is the total of all refunds.
    pub fn refunded(sequence: u64, amount: u64) -> Event {
        let status = match amount {
            0..1000 => Status::PartiallyRefunded,
            _ => Status::Refunded,
        };
        event(sequence, "refund.succeeded", status, amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecommpay::{Keyring, ProjectKey};
    use payments::Timestamp;
    use payments::decide::decide;
    use payments::service::callback::verify;
    use serde_json::{Value, json};

    fn body() -> Value {
        json!({
            "specversion": "1.0", "id": "211/Order-1/3", "source": "/ecommpay/211",
            "subject": "Order-1", "type": "payment.succeeded", "time": "2026-01-02T03:04:05Z",
            "datacontenttype": "application/json",
            "data": {
                "payment_id": "Order-1", "order_id": null, "status": "succeeded", "sequence": 3,
                "amount": 1000, "paid_amount": 1000, "refunded_amount": 0, "late": true
            }
        })
    }

    #[test]
    fn an_event_is_parsed() {
        let event = Event::parse(&body().to_string()).unwrap();
        assert_eq!(event.key.to_string(), "211/order-1");
        assert_eq!(event.sequence, 3);
        assert_eq!(event.kind, Some(EventKind::PaymentSucceeded));
        assert_eq!(event.state.status, Status::Succeeded);
        assert_eq!(event.state.paid_amount, 1000);
    }

    #[test]
    fn an_event_that_the_functions_emit_is_parsed() {
        let key = ProjectKey::new("test-secret-key").unwrap();
        let keys = [(ProjectId::new(211).unwrap(), Keyring::new(key, None))].into();
        let body = include_bytes!("../../../tests/data/callbacks/sale_success.json");
        let callback = verify(body, &keys).unwrap();
        let at = Timestamp::from_millis(1_562_059_709_120);
        let change = decide(None, callback.fact(), at).unwrap();
        let [emitted] = change.events.as_slice() else {
            panic!("{:?}", change.events)
        };
        let event = Event::parse(&emitted.body).unwrap();
        assert_eq!(event.key, emitted.key);
        assert_eq!(event.sequence, emitted.sequence);
        assert_eq!(event.kind, Some(emitted.kind));
        assert_eq!(event.state.status, change.payment.status());
        assert_eq!(event.state.paid_amount, change.payment.paid_amount());
    }

    #[test]
    fn an_event_of_an_unknown_type_is_parsed_without_a_kind() {
        let mut body = body();
        body["type"] = json!("payment.invented");
        assert_eq!(Event::parse(&body.to_string()).unwrap().kind, None);
    }

    #[test]
    fn a_message_that_is_not_an_event_is_refused_with_the_reason() {
        for body in ["", "null", "{}", "[]", "\"Janssens\"", "{\"specversion\":"] {
            assert_eq!(Event::parse(body), Err(InvalidEvent::Malformed), "{body}");
        }
        let with = |pointer: &str, value: Value| {
            let mut body = body();
            *body.pointer_mut(pointer).unwrap() = value;
            Event::parse(&body.to_string())
        };
        for (pointer, value, reason) in [
            (
                "/specversion",
                json!("0.3"),
                InvalidEvent::UnsupportedVersion,
            ),
            ("/id", json!("211/Order-1/4"), InvalidEvent::Inconsistent),
            ("/id", json!("211/Order-1/03"), InvalidEvent::Inconsistent),
            ("/id", json!("211/Order-2/3"), InvalidEvent::Inconsistent),
            ("/id", json!("212/Order-1/3"), InvalidEvent::Inconsistent),
            (
                "/source",
                json!("/ecommpay/212"),
                InvalidEvent::Inconsistent,
            ),
            ("/source", json!("/ecommpay/x"), InvalidEvent::Inconsistent),
            ("/subject", json!("Order-2"), InvalidEvent::Inconsistent),
            (
                "/data/payment_id",
                json!("order-1"),
                InvalidEvent::Inconsistent,
            ),
            ("/data/sequence", json!(0), InvalidEvent::Inconsistent),
            ("/data/sequence", json!(-1), InvalidEvent::Malformed),
            ("/data/sequence", json!("3"), InvalidEvent::Malformed),
            ("/data/status", json!("invented"), InvalidEvent::Malformed),
            ("/data/paid_amount", json!(10.5), InvalidEvent::Malformed),
            ("/type", json!(7), InvalidEvent::Malformed),
        ] {
            assert_eq!(
                with(pointer, value.clone()),
                Err(reason),
                "{pointer} {value}"
            );
        }
    }
}
