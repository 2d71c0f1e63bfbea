//! Implements the work queue with a standard SQS queue (`shared/decisions/state/0039-work-queue.md`).

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Builder;
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use futures_util::future::try_join_all;
use payments::ports::{WorkMessage, WorkQueue, WorkQueueError};

use crate::sdk::{OwnUserAgent, describe};

/// The maximum number of messages in one call
/// ([quotas](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html)).
const BATCH: usize = 10;
/// The maximum number of calls in parallel.
const CONCURRENCY: usize = 8;

/// A client of a queue of work messages.
#[derive(Debug, Clone)]
pub struct SqsWorkQueue {
    client: Client,
    url: String,
}

impl SqsWorkQueue {
    /// Creates a client of the queue with this URL.
    pub fn new(config: &aws_types::SdkConfig, url: impl Into<String>) -> Self {
        let config = Builder::from(config).interceptor(OwnUserAgent).build();
        Self {
            client: Client::from_conf(config),
            url: url.into(),
        }
    }

    async fn send_batch(&self, messages: &[WorkMessage]) -> Result<(), WorkQueueError> {
        let entries = messages.iter().enumerate().map(|(number, message)| {
            SendMessageBatchRequestEntry::builder()
                .id(number.to_string())
                .message_body(message.body())
                .delay_seconds(i32::try_from(message.delay.as_secs()).unwrap_or(i32::MAX))
                .build()
        });
        let entries: Result<Vec<_>, _> = entries.collect();
        let entries = entries.map_err(|error| WorkQueueError(error.to_string()))?;
        let request = self.client.send_message_batch().queue_url(&self.url);
        let sent = request.set_entries(Some(entries)).send().await;
        let sent = sent.map_err(|error| WorkQueueError(describe(&error)))?;
        match sent.failed().first() {
            None => Ok(()),
            Some(failed) => Err(WorkQueueError(format!(
                "{} of {} messages were refused, the first with {}",
                sent.failed().len(),
                messages.len(),
                failed.code(),
            ))),
        }
    }
}

impl WorkQueue for SqsWorkQueue {
    async fn send(&self, messages: &[WorkMessage]) -> Result<(), WorkQueueError> {
        for batches in messages.chunks(BATCH * CONCURRENCY) {
            let batches = batches.chunks(BATCH);
            // The futures are boxed, because the SDK's futures are large.
            let sends = batches.map(|batch| Box::pin(self.send_batch(batch)));
            try_join_all(sends).await?;
        }
        Ok(())
    }

    async fn backlog(&self) -> Result<u64, WorkQueueError> {
        let visible = QueueAttributeName::ApproximateNumberOfMessages;
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let answer = request.attribute_names(visible.clone()).send().await;
        let answer = answer.map_err(|error| WorkQueueError(describe(&error)))?;
        let count = answer.attributes().and_then(|all| all.get(&visible));
        let count = count.and_then(|count| count.parse().ok());
        count.ok_or_else(|| WorkQueueError("the answer has no number of messages".into()))
    }
}
