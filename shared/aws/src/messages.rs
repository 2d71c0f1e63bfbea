//! Reads a batch of messages from an SQS queue, and writes the response to Lambda.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A batch of messages.
#[derive(Debug, Deserialize)]
pub struct Batch {
    /// The messages.
    #[serde(rename = "Records")]
    pub messages: Vec<Message>,
}

/// A message of the queue.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The id that SQS gave the message.
    pub message_id: String,
    /// The text of the message.
    pub body: String,
    /// The attributes that SQS set, such as `SentTimestamp`.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// The attributes that the sender set.
    #[serde(default)]
    pub message_attributes: BTreeMap<String, MessageAttribute>,
}

/// An attribute that the sender of a message set.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageAttribute {
    /// The value of a text attribute.
    pub string_value: Option<String>,
}

impl Message {
    /// Returns an attribute that SQS set, for example `SentTimestamp`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}

/// The messages that stay in the queue. Lambda deletes all other messages of the batch.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failures {
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

impl Failures {
    /// Adds a message that stays in the queue.
    pub fn add(&mut self, message: &Message) {
        self.batch_item_failures.push(Failure {
            item_identifier: message.message_id.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_response_names_a_failed_message_by_its_id() {
        let record = |id: &str| {
            json!({
                "messageId": id, "receiptHandle": "r", "body": "{}",
                "attributes": { "ApproximateReceiveCount": "1" }, "messageAttributes": {},
                "md5OfBody": "0", "eventSource": "aws:sqs", "eventSourceARN": "arn", "awsRegion": "eu-west-1"
            })
        };
        let batch = json!({ "Records": [record("a"), record("b")] });
        let batch: Batch = serde_json::from_value(batch).unwrap();
        let mut failures = Failures::default();
        assert_eq!(json!(failures), json!({ "batchItemFailures": [] }));
        failures.add(&batch.messages[1]);
        let expected = json!({ "batchItemFailures": [{ "itemIdentifier": "b" }] });
        assert_eq!(json!(failures), expected);
    }
}
