//! A batch of a FIFO queue, taken message by message.
//!
//! The messages of one group are taken in their order, and after one that fails all later ones of
//! its group count as failed too, so that SQS delivers them again in that order. Groups do not wait
//! for each other. What is reported as failed becomes visible again; all else is deleted.

use std::collections::BTreeMap;
use std::future::Future;

use futures_util::future::join_all;
use payments::log::Line;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

/// What SQS hands over.
#[derive(Debug, Deserialize)]
pub struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

/// One message.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Its id at SQS.
    pub message_id: String,
    /// Its text.
    pub body: String,
    attributes: Attributes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    message_group_id: Option<String>,
    approximate_receive_count: Option<String>,
}

impl Record {
    /// How often it was delivered, this time included.
    pub fn deliveries(&self) -> Option<u32> {
        self.attributes
            .approximate_receive_count
            .as_ref()?
            .parse()
            .ok()
    }
}

/// A message was not taken; why has been told in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotTaken;

/// The answer to SQS: the messages that were not taken.
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
    /// Takes each message, for which there is time until `end`.
    pub async fn each<'a, F>(&'a self, end: Instant, take: impl Fn(&'a Record) -> F) -> Failures
    where
        F: Future<Output = Result<(), NotTaken>>,
    {
        let mut groups: BTreeMap<Option<&str>, Vec<&'a Record>> = BTreeMap::new();
        for record in &self.records {
            let group = record.attributes.message_group_id.as_deref();
            groups.entry(group).or_default().push(record);
        }
        let take = &take;
        let failed = groups.into_values().map(|records| async move {
            for (place, record) in records.iter().enumerate() {
                let taken = timeout_at(end, take(record)).await.unwrap_or_else(|_| {
                    Line::error("batch: no time left")
                        .with("message_id", &record.message_id)
                        .write();
                    Err(NotTaken)
                });
                if taken.is_err() {
                    return records.into_iter().skip(place).collect();
                }
            }
            Vec::new()
        });
        let failed = join_all(failed).await.into_iter().flatten();
        Failures {
            batch_item_failures: failed
                .map(|record| Failure {
                    item_identifier: record.message_id.clone(),
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
        let record = |(id, group): &(&str, &str)| {
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
        let records: Vec<_> = messages.iter().map(record).collect();
        serde_json::from_value(json!({ "Records": records })).unwrap()
    }

    /// What was tried, and what was reported, when messages with `x` in their ids fail.
    async fn taken(batch: &Batch) -> (Vec<String>, serde_json::Value) {
        let tried = Mutex::new(Vec::new());
        let end = Instant::now() + Duration::from_secs(10);
        let failures = batch
            .each(end, async |record| {
                assert_eq!(record.body, format!("body of {}", record.message_id));
                assert_eq!(record.deliveries(), Some(2));
                tried.lock().unwrap().push(record.message_id.clone());
                if record.message_id.contains('x') {
                    Err(NotTaken)
                } else {
                    Ok(())
                }
            })
            .await;
        let mut tried = tried.into_inner().unwrap();
        tried.sort();
        (tried, serde_json::to_value(failures).unwrap())
    }

    fn reported(ids: &[&str]) -> serde_json::Value {
        let failures: Vec<_> = ids
            .iter()
            .map(|id| json!({ "itemIdentifier": id }))
            .collect();
        json!({ "batchItemFailures": failures })
    }

    #[tokio::test]
    async fn a_batch_without_failures_reports_none() {
        let batch = batch(&[("a1", "a"), ("b1", "b"), ("a2", "a")]);
        let (tried, answer) = taken(&batch).await;
        assert_eq!(tried, ["a1", "a2", "b1"]);
        assert_eq!(answer, reported(&[]));
    }

    #[tokio::test]
    async fn after_a_failure_its_group_stops_and_the_others_go_on() {
        let batch = batch(&[
            ("a1", "a"),
            ("b1", "b"),
            ("a2x", "a"),
            ("b2", "b"),
            ("a3", "a"),
            ("c1x", "c"),
            ("a4x", "a"),
        ]);
        let (tried, answer) = taken(&batch).await;
        assert_eq!(tried, ["a1", "a2x", "b1", "b2", "c1x"]);
        assert_eq!(answer, reported(&["a2x", "a3", "a4x", "c1x"]));
    }

    #[tokio::test]
    async fn messages_without_a_group_keep_their_order() {
        let mut batch = batch(&[("1", ""), ("2x", ""), ("3", "")]);
        for record in &mut batch.records {
            record.attributes.message_group_id = None;
        }
        let (tried, answer) = taken(&batch).await;
        assert_eq!(tried, ["1", "2x"]);
        assert_eq!(answer, reported(&["2x", "3"]));
    }

    #[tokio::test]
    async fn what_is_not_done_in_time_is_reported_and_the_rest_is_not() {
        let batch = batch(&[("a1", "a"), ("slow", "b"), ("b2", "b"), ("c1", "c")]);
        let end = Instant::now() + Duration::from_millis(50);
        let failures = batch
            .each(end, async |record| {
                if record.message_id == "slow" {
                    std::future::pending::<()>().await;
                }
                Ok(())
            })
            .await;
        let answer = serde_json::to_value(failures).unwrap();
        assert_eq!(answer, reported(&["slow", "b2"]));
    }
}
