//! Moves dead letters back into the queue that they come from.

use anyhow::{Context, anyhow};
use aws::sdk::describe;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::counts::counts;
use crate::session::Session;

/// The number of messages in one receive call. SQS allows at most 10.
const BATCH: u64 = 10;
/// SQS hides received messages from other receivers for this time. The tool needs less time to send and delete them.
const VISIBILITY_TIMEOUT_SECONDS: i32 = 120;
/// The time for which a receive call waits for messages. If it is above 0, SQS searches all of its servers.
const WAIT_SECONDS: i32 = 1;

/// Moves dead letters back into the queue that they come from, oldest first.
///
/// Repair the consumer first. The consumer can receive an event that it has already processed. The consumer must
/// recognise such an event by the event id and ignore the event.
#[derive(Args)]
pub struct RedriveArgs {
    /// The queue that the dead letters come from.
    queue: QueueName,
    /// The maximum number of messages to move; all by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    most: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum QueueName {
    /// The events that decide what is shipped.
    Fulfilment,
    /// All events.
    Audit,
    /// All events, for the event bus.
    Bus,
    /// All events, for the endpoints of storefronts.
    Webhook,
    /// The first tries to post events to endpoints.
    #[value(name = "webhookdelivery")]
    WebhookDelivery,
}

impl QueueName {
    fn as_str(self) -> &'static str {
        match self {
            QueueName::Fulfilment => "fulfilment",
            QueueName::Audit => "audit",
            QueueName::Bus => "bus",
            QueueName::Webhook => "webhook",
            QueueName::WebhookDelivery => "webhookdelivery",
        }
    }
}

#[derive(Serialize)]
struct Moved {
    queue: QueueName,
    moved: u64,
    left: u64,
}

impl RedriveArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        let queue = self.queue.as_str();
        let resources = &session.stack.resources;
        let urls = resources
            .dead_letters
            .get(queue)
            .zip(resources.queues.get(queue));
        let (from, to) = urls.with_context(|| format!("the stack has no queue {queue}"))?;
        let redrive = Redrive {
            client: Client::new(&session.stack.config),
            from,
            to,
        };
        let visible = counts(&redrive.client, from).await?.visible;
        let most = self.most.unwrap_or(u64::MAX);
        session.confirm.ask(&format!(
            "The dead-letter queue of {queue} has {visible} messages. Move {} back?",
            visible.min(most)
        ))?;
        let mut moved = 0;
        let result = redrive.move_messages(most, &mut moved).await;
        result
            .with_context(|| format!("dead letters of {queue}: stopped after {moved} messages"))?;
        let counts = counts(&redrive.client, from).await?;
        let result = Moved {
            queue: self.queue,
            moved,
            left: counts.visible + counts.in_flight,
        };
        let left = result.left;
        let text = format!("dead letters of {queue}: {moved} moved, {left} left\n");
        session.write(&result, text)
    }
}

struct Redrive<'a> {
    client: Client,
    /// The URL of the dead-letter queue.
    from: &'a str,
    /// The URL of the queue.
    to: &'a str,
}

impl Redrive<'_> {
    /// Moves messages one by one, which preserves their order within a message group. Stops at the first failure.
    async fn move_messages(&self, most: u64, moved: &mut u64) -> anyhow::Result<()> {
        while *moved < most {
            let batch = self.receive((most - *moved).min(BATCH)).await?;
            if batch.is_empty() {
                break;
            }
            for message in batch {
                self.send(&message).await?;
                self.delete(&message).await?;
                *moved += 1;
            }
        }
        Ok(())
    }

    async fn receive(&self, most: u64) -> anyhow::Result<Vec<Message>> {
        let received = self
            .client
            .receive_message()
            .queue_url(self.from)
            .max_number_of_messages(i32::try_from(most)?)
            .visibility_timeout(VISIBILITY_TIMEOUT_SECONDS)
            .wait_time_seconds(WAIT_SECONDS)
            .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId)
            .message_attribute_names("All")
            .send();
        let received = described("received", received.await)?;
        Ok(received.messages.unwrap_or_default())
    }

    /// Sends a message with its group and body, and with a new deduplication id. The queue would drop the message if it
    /// had received the original id in the last five minutes.
    ///
    /// The new id contains the message id of the dead letter. So the queue drops a dead letter that an earlier redrive
    /// has sent but not deleted. A message that fails again is a new dead letter with a new message id.
    async fn send(&self, message: &Message) -> anyhow::Result<()> {
        let id = message.message_id().context("a dead letter has no id")?;
        let group = MessageSystemAttributeName::MessageGroupId;
        let group = message.attributes().and_then(|all| all.get(&group));
        let sent = self
            .client
            .send_message()
            .queue_url(self.to)
            .set_message_body(message.body.clone())
            .set_message_group_id(group.cloned())
            .message_deduplication_id(format!("redriven-{id}"))
            .set_message_attributes(message.message_attributes.clone())
            .send();
        described("sent", sent.await)?;
        Ok(())
    }

    async fn delete(&self, message: &Message) -> anyhow::Result<()> {
        let deleted = self
            .client
            .delete_message()
            .queue_url(self.from)
            .set_receipt_handle(message.receipt_handle.clone())
            .send();
        described("deleted", deleted.await)?;
        Ok(())
    }
}

fn described<T, E: ProvideErrorMetadata, R>(
    action: &str,
    result: Result<T, SdkError<E, R>>,
) -> anyhow::Result<T> {
    result.map_err(|error| anyhow!("a dead letter cannot be {action}: {}", describe(&error)))
}
