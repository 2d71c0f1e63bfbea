//! Processes a batch of messages from a FIFO queue.
//!
//! Each group is processed in order, and groups do not wait for each other. If a message fails, the rest of its group
//! is not processed. The message and the rest of the group are reported as failed. SQS then delivers all reported
//! messages again, in the same order. Lambda deletes the other messages.

use std::collections::BTreeMap;
use std::future::Future;

use futures_util::future::join_all;
use payments::log::Line;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

/// A batch, in the JSON form of Lambda's event source mapping.
#[derive(Debug, Deserialize)]
pub struct Batch {
    #[serde(rename = "Records")]
    messages: Vec<Message>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    pub message_id: String,
    /// An event in JSON.
    pub body: String,
    attributes: Attributes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    message_group_id: Option<String>,
    approximate_receive_count: Option<String>,
}

impl Message {
    /// Returns how often SQS has delivered this message, including the current delivery.
    pub fn deliveries(&self) -> Option<u32> {
        let count = self.attributes.approximate_receive_count.as_ref()?;
        count.parse().ok()
    }
}

/// The error of a message that was not processed. The log has the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed;

/// The response to Lambda: the ids of the messages that failed.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failures {
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

impl Batch {
    /// Processes the messages with `process`. Messages that are not processed before `end` fail.
    pub async fn process<'a, F>(
        &'a self,
        end: Instant,
        process: impl Fn(&'a Message) -> F,
    ) -> Failures
    where
        F: Future<Output = Result<(), Failed>>,
    {
        let mut groups: BTreeMap<Option<&str>, Vec<&'a Message>> = BTreeMap::new();
        for message in &self.messages {
            let group = message.attributes.message_group_id.as_deref();
            groups.entry(group).or_default().push(message);
        }
        let process = &process;
        let failed = groups.into_values().map(|messages| async move {
            for (index, message) in messages.iter().enumerate() {
                let result = timeout_at(end, process(message)).await.unwrap_or_else(|_| {
                    Line::error("fulfilment: message not processed in time")
                        .with("message_id", &message.message_id)
                        .write();
                    Err(Failed)
                });
                if result.is_err() {
                    return messages.into_iter().skip(index).collect();
                }
            }
            Vec::new()
        });
        let failed = join_all(failed).await.into_iter().flatten();
        Failures {
            batch_item_failures: failed
                .map(|message| Failure {
                    item_identifier: message.message_id.clone(),
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::Mutex;
    use std::time::Duration;

    fn batch(messages: &[(&str, &str)]) -> Batch {
        let message = |(id, group): &(&str, &str)| {
            json!({
                "messageId": id, "receiptHandle": "r", "body": format!("body of {id}"),
                "attributes": {
                    "ApproximateReceiveCount": "2", "MessageGroupId": group,
                    "MessageDeduplicationId": "d", "SequenceNumber": "18849496460467696128"
                },
                "messageAttributes": {}, "md5OfBody": "0", "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:000000000000:q.fifo",
                "awsRegion": "eu-west-1"
            })
        };
        let messages: Vec<_> = messages.iter().map(message).collect();
        serde_json::from_value(json!({ "Records": messages })).unwrap()
    }

    /// Processes a batch. Messages with `x` in their ids fail. Returns the sorted ids of the messages that were
    /// processed, and the response.
    async fn process(batch: &Batch) -> (Vec<String>, serde_json::Value) {
        let tried = Mutex::new(Vec::new());
        let end = Instant::now() + Duration::from_secs(10);
        let failures = batch
            .process(end, async |message| {
                assert_eq!(message.body, format!("body of {}", message.message_id));
                assert_eq!(message.deliveries(), Some(2));
                tried.lock().unwrap().push(message.message_id.clone());
                if message.message_id.contains('x') {
                    Err(Failed)
                } else {
                    Ok(())
                }
            })
            .await;
        let mut tried = tried.into_inner().unwrap();
        tried.sort();
        (tried, serde_json::to_value(failures).unwrap())
    }

    fn response_of(ids: &[&str]) -> serde_json::Value {
        let items: Vec<_> = ids
            .iter()
            .map(|id| json!({ "itemIdentifier": id }))
            .collect();
        json!({ "batchItemFailures": items })
    }

    #[tokio::test]
    async fn a_batch_reports_no_failures_when_every_message_succeeds() {
        let batch = batch(&[("a1", "a"), ("b1", "b"), ("a2", "a")]);
        let (tried, response) = process(&batch).await;
        assert_eq!(tried, ["a1", "a2", "b1"]);
        assert_eq!(response, response_of(&[]));
    }

    #[tokio::test]
    async fn a_failed_message_stops_its_own_group_only() {
        let batch = batch(&[
            ("a1", "a"),
            ("b1", "b"),
            ("a2x", "a"),
            ("b2", "b"),
            ("a3", "a"),
            ("c1x", "c"),
            ("a4x", "a"),
        ]);
        let (tried, response) = process(&batch).await;
        assert_eq!(tried, ["a1", "a2x", "b1", "b2", "c1x"]);
        assert_eq!(response, response_of(&["a2x", "a3", "a4x", "c1x"]));
    }

    #[tokio::test]
    async fn messages_without_a_group_form_one_group() {
        let mut batch = batch(&[("1", ""), ("2x", ""), ("3", "")]);
        for message in &mut batch.messages {
            message.attributes.message_group_id = None;
        }
        let (tried, response) = process(&batch).await;
        assert_eq!(tried, ["1", "2x"]);
        assert_eq!(response, response_of(&["2x", "3"]));
    }

    #[tokio::test]
    async fn a_message_that_is_not_done_in_time_fails_with_the_rest_of_its_group() {
        let batch = batch(&[("a1", "a"), ("slow", "b"), ("b2", "b"), ("c1", "c")]);
        let end = Instant::now() + Duration::from_millis(50);
        let failures = batch
            .process(end, async |message| {
                if message.message_id == "slow" {
                    std::future::pending::<()>().await;
                }
                Ok(())
            })
            .await;
        let response = serde_json::to_value(failures).unwrap();
        assert_eq!(response, response_of(&["slow", "b2"]));
    }
}
