//! An SQS FIFO queue that takes some kinds of events.

use aws_sdk_sqs::Client;

use super::aws::describe;
use crate::config::QueueConfig;
use crate::event::{Event, EventKind};
use crate::ports::{EventQueue, SendError};

/// One queue.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: Client,
    config: QueueConfig,
}

impl SqsQueue {
    /// The queues of a configuration.
    pub fn all(config: &aws_types::SdkConfig, queues: Vec<QueueConfig>) -> Vec<Self> {
        let client = Client::new(config);
        let queue = |config| Self {
            client: client.clone(),
            config,
        };
        queues.into_iter().map(queue).collect()
    }
}

impl EventQueue for SqsQueue {
    fn wants(&self, kind: EventKind) -> bool {
        self.config
            .types
            .as_ref()
            .is_none_or(|kinds| kinds.contains(&kind))
    }

    async fn send(&self, event: &Event, repeat: Option<&str>) -> Result<(), SendError> {
        self.client
            .send_message()
            .queue_url(&self.config.url)
            .message_body(&event.body)
            .message_group_id(event.message_group_id())
            .message_deduplication_id(event.message_deduplication_id(repeat))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| SendError(describe(&error)))
    }
}
