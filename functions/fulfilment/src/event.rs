//! The events as they come out of the queue: CloudEvents 1.0 in JSON.

use ecommpay::fields::ProjectId;
use payments::PaymentKey;
use payments::events::EventKind;
use payments::model::Status;
use serde::Deserialize;
use thiserror::Error;

/// The parts of an event that fulfilment needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The payment it is about.
    pub key: PaymentKey,
    /// Its number within the payment. Its id is made of the two, so they stand for it.
    pub sequence: u64,
    /// What it announces; `None` for a type this consumer does not know, which is no error: types
    /// are added.
    pub kind: Option<EventKind>,
    /// The payment after the change.
    pub state: State,
}

/// What a payment's state tells fulfilment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// The payment's status.
    pub status: Status,
    /// What was paid, in minor units.
    pub paid_amount: u64,
    /// What went back, in minor units.
    pub refunded_amount: u64,
}

/// Why a message is no event. Says nothing of its content, which may hold anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unsound {
    /// Not JSON, or a part is missing or of another type.
    #[error("not an event")]
    NotAnEvent,
    /// Not CloudEvents 1.0.
    #[error("another version of CloudEvents")]
    OtherVersion,
    /// Its id, source, subject and data do not name one and the same event.
    #[error("contradicts itself")]
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
    /// Reads a message.
    pub fn parse(body: &str) -> Result<Self, Unsound> {
        let event: CloudEvent = serde_json::from_str(body).map_err(|_| Unsound::NotAnEvent)?;
        if event.specversion != "1.0" {
            return Err(Unsound::OtherVersion);
        }
        let project_id = event
            .source
            .strip_prefix("/ecommpay/")
            .and_then(|project| ProjectId::new(project.parse().ok()?).ok())
            .ok_or(Unsound::Inconsistent)?;
        let Data {
            payment_id,
            sequence,
            status,
            paid_amount,
            refunded_amount,
        } = event.data;
        let id = format!("{project_id}/{payment_id}/{sequence}");
        if event.id != id || event.subject != payment_id || sequence == 0 {
            return Err(Unsound::Inconsistent);
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
    fn an_event_is_read() {
        let event = Event::parse(&body().to_string()).unwrap();
        assert_eq!(event.key.to_string(), "211/order-1");
        assert_eq!(event.sequence, 3);
        assert_eq!(event.kind, Some(EventKind::PaymentSucceeded));
        assert_eq!(event.state.status, Status::Succeeded);
        assert_eq!(event.state.paid_amount, 1000);
    }

    #[test]
    fn what_the_functions_announce_is_read() {
        let key = ProjectKey::new("test-secret-key").unwrap();
        let keys = [(ProjectId::new(211).unwrap(), Keyring::new(key, None))].into();
        let body = include_bytes!("../../../tests/data/callbacks/sale_success.json");
        let callback = verify(body, &keys).unwrap();
        let at = Timestamp::from_millis(1_562_059_709_120);
        let change = decide(None, callback.fact(), at).unwrap();
        let [announced] = change.events.as_slice() else {
            panic!("{:?}", change.events)
        };
        let event = Event::parse(&announced.body).unwrap();
        assert_eq!(event.key, announced.key);
        assert_eq!(event.sequence, announced.sequence);
        assert_eq!(event.kind, Some(announced.kind));
        assert_eq!(event.state.status, change.payment.status());
        assert_eq!(event.state.paid_amount, change.payment.paid_amount());
    }

    #[test]
    fn a_type_that_is_new_is_no_error() {
        let mut body = body();
        body["type"] = json!("payment.blessed");
        assert_eq!(Event::parse(&body.to_string()).unwrap().kind, None);
    }

    #[test]
    fn what_is_no_event_is_refused_without_its_words() {
        for body in ["", "null", "{}", "[]", "\"Janssens\"", "{\"specversion\":"] {
            assert_eq!(Event::parse(body), Err(Unsound::NotAnEvent), "{body}");
        }
        let with = |pointer: &str, value: Value| {
            let mut body = body();
            *body.pointer_mut(pointer).unwrap() = value;
            Event::parse(&body.to_string())
        };
        for (pointer, value, reason) in [
            ("/specversion", json!("0.3"), Unsound::OtherVersion),
            ("/id", json!("211/Order-1/4"), Unsound::Inconsistent),
            ("/id", json!("211/Order-1/03"), Unsound::Inconsistent),
            ("/id", json!("211/Order-2/3"), Unsound::Inconsistent),
            ("/id", json!("212/Order-1/3"), Unsound::Inconsistent),
            ("/source", json!("/ecommpay/212"), Unsound::Inconsistent),
            ("/source", json!("/ecommpay/x"), Unsound::Inconsistent),
            ("/subject", json!("Order-2"), Unsound::Inconsistent),
            ("/data/payment_id", json!("order-1"), Unsound::Inconsistent),
            ("/data/sequence", json!(0), Unsound::Inconsistent),
            ("/data/sequence", json!(-1), Unsound::NotAnEvent),
            ("/data/sequence", json!("3"), Unsound::NotAnEvent),
            ("/data/status", json!("blessed"), Unsound::NotAnEvent),
            ("/data/paid_amount", json!(10.5), Unsound::NotAnEvent),
            ("/type", json!(7), Unsound::NotAnEvent),
        ] {
            assert_eq!(
                with(pointer, value.clone()),
                Err(reason),
                "{pointer} {value}"
            );
        }
    }
}
