//! Defines the queues of deliveries: one for first tries, and one for retries.

use std::future::Future;

use serde::{Deserialize, Serialize};

use super::queue::SendError;
use crate::escape;
use crate::json_text::to_json_string;
use crate::model::ids::PaymentKey;
use crate::model::timestamp::Timestamp;
use crate::model::webhook::EndpointKey;
use crate::sha256;

/// The maximum number of first tries that run for one endpoint. With [`RETRY_GROUPS`], at most ten deliveries run for
/// one endpoint, because a FIFO queue delivers the messages of a group one after another.
pub const FIRST_TRY_GROUPS: u8 = 6;
/// The maximum number of retries that run for one endpoint.
pub const RETRY_GROUPS: u8 = 4;

/// A message of one of the queues. Two releases can run at the same time. So every value has a name, and a reader
/// ignores unknown names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Delivery {
    /// The first try of an event.
    FirstTry(FirstTry),
    /// Retries of events that wait in the backlog.
    Retry(Retry),
}

/// The first try to deliver an event to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstTry {
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: EndpointKey,
    /// The payment's id in lower case.
    pub payment_id: String,
    /// The number of the event.
    pub sequence: u64,
}

impl FirstTry {
    /// Returns the payment; `None` if the id cannot be the id of a payment.
    pub fn payment(&self) -> Option<PaymentKey> {
        PaymentKey::parse(self.endpoint.owner.project_id, &self.payment_id)
    }
}

/// Retries for one endpoint. All payments are of one group ([`retry_group`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: EndpointKey,
    /// The ids of the payments, in lower case.
    pub payments: Vec<String>,
    /// What to do.
    pub action: RetryAction,
    /// The message is dropped after this time, because a later run hands the retries out again.
    pub until: Timestamp,
}

/// What to do with the first waiting event of each payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAction {
    /// Deliver the event, unless the breaker is open.
    Deliver,
    /// Deliver the event, to find out whether the endpoint answers again.
    Probe,
    /// Give the event up, if it is too old.
    GiveUp,
}

/// A message and its ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryMessage {
    /// The content.
    pub delivery: Delivery,
    /// The message group. The messages of a group are delivered one after another.
    pub group: String,
    /// The deduplication id. A queue drops a repeated id for five minutes.
    pub deduplication_id: String,
}

impl DeliveryMessage {
    /// Creates the message of a first try. `event` is the deduplication id of the event's own message.
    pub fn first_try(first_try: FirstTry, event: &str) -> Self {
        let endpoint = &first_try.endpoint;
        let payment = format!("{}/{}", endpoint.owner.project_id, first_try.payment_id);
        let group = group(&payment, FIRST_TRY_GROUPS);
        Self {
            group: format!("{}-{group}", endpoint.id),
            deduplication_id: sha256::hex(format!("{}/{event}", endpoint.id).as_bytes()),
            delivery: Delivery::FirstTry(first_try),
        }
    }

    /// Creates the message of retries at the time `now`; `group` is the group of all payments.
    pub fn retry(retry: Retry, group: u8, now: Timestamp) -> Self {
        let id = &retry.endpoint.id;
        let first = retry.payments.first().map_or("", String::as_str);
        let name = format!("{id}/{:?}/{}/{first}", retry.action, now.unix_millis());
        Self {
            group: format!("{id}-{group}"),
            deduplication_id: sha256::hex(name.as_bytes()),
            delivery: Delivery::Retry(retry),
        }
    }

    /// Returns the content as JSON text that every queue accepts.
    pub fn body(&self) -> String {
        escape::json_for_sqs(to_json_string(&self.delivery))
    }
}

/// Returns the group of a payment among the retries of an endpoint.
pub fn retry_group(payment: &PaymentKey) -> u8 {
    group(&payment.to_string(), RETRY_GROUPS)
}

fn group(payment: &str, groups: u8) -> u8 {
    let digits = sha256::start_of_hex(payment.as_bytes(), 2);
    u8::from_str_radix(&digits, 16).unwrap_or_default() % groups
}

/// A FIFO queue of deliveries. A message is delivered at least once, and in the order of its group.
pub trait DeliveryQueue {
    /// Sends messages. Returns the result of each message, in order. A call must have at most one message of each
    /// payment, because a later message of a group can be accepted although an earlier message failed.
    fn send(
        &self,
        messages: &[DeliveryMessage],
    ) -> impl Future<Output = Vec<Result<(), SendError>>> + Send;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ecommpay::fields::ProjectId;
    use serde_json::json;

    use super::*;
    use crate::model::webhook::{EndpointId, EndpointOwner};

    const NOW: Timestamp = Timestamp::from_millis(1_562_059_700_123);

    fn endpoint(id: &str) -> EndpointKey {
        EndpointKey {
            owner: EndpointOwner {
                project_id: ProjectId::new(211).unwrap(),
                storefront: "shop".into(),
            },
            id: EndpointId::new(id).unwrap(),
        }
    }

    fn first_try(endpoint_id: &str, payment_id: &str) -> DeliveryMessage {
        let first_try = FirstTry {
            endpoint: endpoint(endpoint_id),
            payment_id: payment_id.into(),
            sequence: 3,
        };
        DeliveryMessage::first_try(first_try, "event")
    }

    fn retry(payment_id: &str) -> DeliveryMessage {
        let key = PaymentKey::new(ProjectId::new(211).unwrap(), payment_id);
        let retry = Retry {
            endpoint: endpoint("ep_1"),
            payments: vec![payment_id.into()],
            action: RetryAction::Deliver,
            until: NOW,
        };
        DeliveryMessage::retry(retry, retry_group(&key), NOW)
    }

    #[test]
    fn every_value_of_a_message_has_a_name_and_unknown_names_are_ignored() {
        for (message, mut expected) in [
            (
                first_try("ep_1", "order-1"),
                json!({
                    "kind": "first_try", "project_id": 211, "storefront": "shop", "endpoint": "ep_1",
                    "payment_id": "order-1", "sequence": 3,
                }),
            ),
            (
                retry("order-1"),
                json!({
                    "kind": "retry", "project_id": 211, "storefront": "shop", "endpoint": "ep_1",
                    "payments": ["order-1"], "action": "deliver", "until": "2019-07-02T09:28:20.123Z",
                }),
            ),
        ] {
            let written: serde_json::Value = serde_json::from_str(&message.body()).unwrap();
            assert_eq!(written, expected);
            expected["priority"] = json!(1);
            let read: Delivery = serde_json::from_value(expected).unwrap();
            assert_eq!(read, message.delivery);
        }
        let later = json!({ "kind": "later" });
        assert!(serde_json::from_value::<Delivery>(later).is_err());
    }

    #[test]
    fn at_most_ten_deliveries_run_for_one_endpoint_because_its_messages_have_ten_groups() {
        let ids = || (0..1_000).map(|number| format!("order-{number}"));
        let first_tries: BTreeSet<String> = ids().map(|id| first_try("ep_1", &id).group).collect();
        let retries: BTreeSet<String> = ids().map(|id| retry(&id).group).collect();
        assert_eq!(first_tries.len() + retries.len(), 10);
        let other = ids().map(|id| first_try("ep_2", &id).group);
        assert!(first_tries.is_disjoint(&other.collect()));
    }

    #[test]
    fn messages_have_the_same_deduplication_id_only_for_the_same_event_and_endpoint() {
        let id = |message: DeliveryMessage| message.deduplication_id;
        let one = id(first_try("ep_1", "order-1"));
        assert_eq!(one, id(first_try("ep_1", "order-1")));
        assert_ne!(one, id(first_try("ep_2", "order-1")));
        assert_ne!(id(retry("order-1")), id(retry("order-2")));
    }
}
