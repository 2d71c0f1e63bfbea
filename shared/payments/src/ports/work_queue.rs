//! Defines the queue through which the sweeper hands out work to the worker.

use std::future::Future;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::daily_run::{Part, Run};
use super::payment_store::Due;
use crate::escape;
use crate::json_text::to_json_string;
use crate::model::timestamp::Timestamp;

/// Work for the worker. The worker loads each payment and acts only if the action is still due. So a message that
/// arrives twice or late does no harm. The next sweeper run replaces a lost message.
///
/// Two releases can run at the same time. So every value in a message has a name, and a reader ignores unknown names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Poll the platform about the payments.
    Poll {
        /// The payments.
        payments: Vec<Due>,
        /// The worker drops the message after this time. Otherwise, a worker that was stopped would send the polls of
        /// all waiting messages together.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// Publish the outboxes of the payments.
    Publish {
        /// The payments.
        payments: Vec<Due>,
    },
    /// Emit `checkout.expired` for the payments.
    Expire {
        /// The payments.
        payments: Vec<Due>,
    },
    /// Erase the customers' data of the payments.
    Erase {
        /// The payments.
        payments: Vec<Due>,
    },
    /// Do a part of a run of a daily task. Only the queue of the daily runs has this work.
    Part {
        /// The run.
        run: Run,
        /// The part.
        part: Part,
    },
    /// Work that only a later release knows.
    #[serde(other)]
    Unknown,
}

/// Work, and the time for which the queue holds it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkMessage {
    /// The work.
    pub work: Work,
    /// The queue delivers the message after this time, in whole seconds up to 900.
    pub delay: Duration,
}

impl WorkMessage {
    /// Returns the work as JSON text that every queue accepts.
    pub fn body(&self) -> String {
        escape::json_for_sqs(to_json_string(&self.work))
    }
}

/// The queue failed, but it possibly accepted some of the messages. The caller can send the messages again.
#[derive(Debug, Error)]
#[error("the work queue failed: {0}")]
pub struct WorkQueueError(pub String);

/// A queue of work. It can deliver messages twice or in any order, and can lose them.
pub trait WorkQueue {
    /// Sends messages. Returns an error if the queue did not accept every message.
    fn send(
        &self,
        messages: &[WorkMessage],
    ) -> impl Future<Output = Result<(), WorkQueueError>> + Send;

    /// Returns the approximate number of messages that a worker could receive now, without delayed messages.
    fn backlog(&self) -> impl Future<Output = Result<u64, WorkQueueError>> + Send;
}

#[cfg(test)]
mod tests {
    use ecommpay::fields::ProjectId;
    use serde_json::json;

    use super::*;
    use crate::PaymentKey;

    fn due(id: &str) -> Due {
        Due {
            key: PaymentKey::new(ProjectId::new(211).unwrap(), id),
            since: Timestamp::from_millis(1_562_059_700_123),
        }
    }

    #[test]
    fn a_message_is_read_back_unchanged_and_contains_no_character_that_sqs_refuses() {
        let payments = vec![due("order-1"), due("\u{ffff}\u{0}\"")];
        for work in [
            Work::Poll {
                payments: payments.clone(),
                until: Some(Timestamp::from_millis(1_562_059_710_123)),
            },
            Work::Publish {
                payments: payments.clone(),
            },
            Work::Expire {
                payments: payments.clone(),
            },
            Work::Erase { payments },
        ] {
            let message = WorkMessage {
                work,
                delay: Duration::ZERO,
            };
            let body = message.body();
            assert!(!body.contains(['\u{ffff}', '\u{0}']), "{body}");
            assert_eq!(serde_json::from_str::<Work>(&body).unwrap(), message.work);
        }
    }

    #[test]
    fn every_value_of_a_message_has_a_name_and_unknown_names_are_ignored() {
        let work = Work::Poll {
            payments: vec![due("Order-1")],
            until: Some(Timestamp::from_millis(1_562_059_710_123)),
        };
        let mut message = json!({
            "kind": "poll",
            "payments": [{ "project_id": 211, "payment_id": "order-1", "since": "2019-07-02T09:28:20.123Z" }],
            "until": "2019-07-02T09:28:30.123Z",
        });
        assert_eq!(serde_json::to_value(&work).unwrap(), message);
        message["priority"] = json!(1);
        message["payments"][0]["attempt"] = json!([2]);
        assert_eq!(serde_json::from_value::<Work>(message).unwrap(), work);
    }

    #[test]
    fn work_of_an_unknown_kind_is_read_and_a_payment_without_a_project_is_not() {
        let read = |message| serde_json::from_value::<Work>(message);
        let later = json!({ "kind": "later", "endpoint": 7, "payments": "any" });
        assert_eq!(read(later).unwrap(), Work::Unknown);
        let since = "2019-07-02T09:28:20.123Z";
        for payment in [
            json!({ "project_id": 0, "payment_id": "order-1", "since": since }),
            json!({ "project_id": 211, "payment_id": "", "since": since }),
            json!({ "project_id": 211, "payment_id": "order-1" }),
            json!(7),
        ] {
            assert!(read(json!({ "kind": "poll", "payments": [payment] })).is_err());
        }
        assert!(read(json!({ "payments": [] })).is_err());
    }
}
