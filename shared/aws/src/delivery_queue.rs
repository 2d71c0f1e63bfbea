//! Implements the queues of deliveries with FIFO queues of SQS.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Builder;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures_util::StreamExt;
use futures_util::stream;
use payments::ports::{DeliveryMessage, DeliveryQueue, SendError};

use crate::sdk::{OwnUserAgent, describe};

/// The maximum number of messages in one call
/// ([quotas](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html)).
const BATCH: usize = 10;
/// The maximum size of the bodies in one call, in bytes. SQS accepts 1 MiB for the whole call.
const MAX_BYTES: usize = 900 * 1_024;
/// The maximum number of calls in parallel.
const CONCURRENCY: usize = 4;

/// A client of a queue of deliveries.
#[derive(Debug, Clone)]
pub struct SqsDeliveryQueue {
    client: Client,
    url: String,
}

impl SqsDeliveryQueue {
    /// Creates a client of the queue with this URL.
    pub fn new(config: &aws_types::SdkConfig, url: impl Into<String>) -> Self {
        let config = Builder::from(config).interceptor(OwnUserAgent).build();
        Self {
            client: Client::from_conf(config),
            url: url.into(),
        }
    }

    /// Sends one batch. Returns the result of each message.
    async fn send_batch(&self, batch: &[(&DeliveryMessage, String)]) -> Vec<Result<(), SendError>> {
        let entries = batch.iter().enumerate().map(|(number, (message, body))| {
            SendMessageBatchRequestEntry::builder()
                .id(number.to_string())
                .message_body(body)
                .message_group_id(&message.group)
                .message_deduplication_id(&message.deduplication_id)
                .build()
        });
        let all = |error: String| {
            batch
                .iter()
                .map(|_| Err(SendError(error.clone())))
                .collect()
        };
        let entries: Vec<_> = match entries.collect() {
            Ok(entries) => entries,
            Err(error) => {
                let error: aws_sdk_sqs::error::BuildError = error;
                return all(error.to_string());
            }
        };
        let request = self.client.send_message_batch().queue_url(&self.url);
        let sent = match Box::pin(request.set_entries(Some(entries)).send()).await {
            Ok(sent) => sent,
            Err(error) => return all(describe(&error)),
        };
        let result = |number: usize| {
            let failed = sent.failed().iter();
            let mut failed = failed.filter(|failed| failed.id() == number.to_string());
            match failed.next() {
                None => Ok(()),
                Some(failed) => Err(SendError(format!("refused with {}", failed.code()))),
            }
        };
        (0..batch.len()).map(result).collect()
    }
}

impl DeliveryQueue for SqsDeliveryQueue {
    async fn send(&self, messages: &[DeliveryMessage]) -> Vec<Result<(), SendError>> {
        let (batches, mut sends) = (batches(messages), Vec::new());
        for batch in &batches {
            // Boxed, because the SDK's futures are large.
            sends.push(Box::pin(self.send_batch(batch)));
        }
        let results = stream::iter(sends).buffered(CONCURRENCY);
        let results: Vec<Vec<Result<(), SendError>>> = results.collect().await;
        results.into_iter().flatten().collect()
    }
}

/// Splits messages into batches that SQS accepts.
fn batches(messages: &[DeliveryMessage]) -> Vec<Vec<(&DeliveryMessage, String)>> {
    let (mut batches, mut bytes): (Vec<Vec<_>>, usize) = (Vec::new(), 0);
    for message in messages {
        let body = message.body();
        bytes += body.len();
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH && bytes <= MAX_BYTES => batch.push((message, body)),
            _ => {
                bytes = body.len();
                batches.push(vec![(message, body)]);
            }
        }
    }
    batches
}
