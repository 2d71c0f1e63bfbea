//! Dead letters back into their queue.

use anyhow::{Context, anyhow};
use aws::sdk::describe;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::answer;
use crate::queues::counts;
use crate::session::Session;

/// As many as SQS hands out at once.
const BATCH: u64 = 10;
/// Long enough for sending and deleting a batch; then what is left of it can be received again.
const HELD_SECONDS: i32 = 120;
/// With a wait, SQS asks all of its servers.
const WAIT_SECONDS: i32 = 1;

/// Moves the dead letters of a queue back into it, oldest first.
///
/// Mend the consumer before. It can meet an event that it has seen already, and remembers it.
#[derive(Args)]
pub struct RedriveArgs {
    /// The queue.
    queue: QueueName,
    /// At most so many.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    most: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum QueueName {
    /// What to ship and what to take back.
    Fulfilment,
    /// Everything that is announced.
    Audit,
}

impl QueueName {
    fn as_str(self) -> &'static str {
        match self {
            QueueName::Fulfilment => "fulfilment",
            QueueName::Audit => "audit",
        }
    }
}

#[derive(Serialize)]
struct Done {
    queue: QueueName,
    moved: u64,
    left: u64,
}

impl RedriveArgs {
    pub async fn run(&self, session: Session<'_>) -> anyhow::Result<()> {
        let queue = self.queue.as_str();
        let stack = &session.account.stack;
        let to = stack.queues.get(queue);
        let from = stack.dead_letters.get(queue);
        let (from, to) = from
            .zip(to)
            .with_context(|| format!("the stack has no {queue}"))?;
        let way = Way {
            client: Client::new(&session.account.config),
            from,
            to,
        };
        let waiting = counts(&way.client, from).await?.visible;
        let most = self.most.unwrap_or(u64::MAX);
        session.confirm.ask(&format!(
            "dead letters of {queue}: {waiting}; move back {}?",
            waiting.min(most)
        ))?;
        let mut moved = 0;
        let done = way.move_back(most, &mut moved).await;
        done.with_context(|| format!("dead letters of {queue}: {moved} moved, then one was not"))?;
        let left = counts(&way.client, from).await?;
        let done = Done {
            queue: self.queue,
            moved,
            left: left.visible + left.in_flight,
        };
        let sentence = format!("dead letters of {queue}: {moved} moved, {} left", done.left);
        answer::write(session.out, session.json, &done, &sentence)
    }
}

struct Way<'a> {
    client: Client,
    from: &'a str,
    to: &'a str,
}

impl Way<'_> {
    /// One after the other, so that the order within a group stays; ends at the first failure.
    async fn move_back(&self, most: u64, moved: &mut u64) -> anyhow::Result<()> {
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
            .visibility_timeout(HELD_SECONDS)
            .wait_time_seconds(WAIT_SECONDS)
            .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId)
            .message_attribute_names("All")
            .send();
        let received = told("received", received.await)?;
        Ok(received.messages.unwrap_or_default())
    }

    /// In its group and with its body. Under its first deduplication id the queue would take it
    /// and keep nothing of it, if it saw that id in the last five minutes. Under one made of the
    /// dead letter's own id, that happens only to a dead letter that was sent and not deleted, as
    /// somebody stopped between the two: which is what it should be. A message that dies again is
    /// another dead letter, and has another id.
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
        told("sent", sent.await)?;
        Ok(())
    }

    async fn delete(&self, message: &Message) -> anyhow::Result<()> {
        let deleted = self
            .client
            .delete_message()
            .queue_url(self.from)
            .set_receipt_handle(message.receipt_handle.clone())
            .send();
        told("deleted", deleted.await)?;
        Ok(())
    }
}

fn told<T, E: ProvideErrorMetadata, R>(
    what: &str,
    done: Result<T, SdkError<E, R>>,
) -> anyhow::Result<T> {
    done.map_err(|error| anyhow!("a dead letter cannot be {what}: {}", describe(&error)))
}
