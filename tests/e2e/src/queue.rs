//! Receives and sends messages of a queue, and changes its settings.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName};
use payments::sha256;
use sandbox::Ready;
use serde_json::{Value, json};

use crate::{account, eventually};

/// A queue of a sandbox.
#[derive(Debug)]
pub struct Queue {
    client: Client,
    url: String,
}

/// A received message.
#[derive(Debug)]
pub struct Received {
    /// The text of the message.
    pub body: String,
    /// The values of its attributes.
    pub attributes: BTreeMap<String, String>,
}

impl Queue {
    /// Returns a queue of events, such as `audit`.
    pub fn new(ready: &Ready, name: &str) -> anyhow::Result<Self> {
        let url = ready.queues.get(name);
        let url = url.with_context(|| format!("There is no queue {name}"))?;
        Ok(Self {
            client: Client::new(&account(ready)),
            url: url.clone(),
        })
    }

    /// Receives and deletes events until an event of the type `kind` about a payment arrives. Returns the received
    /// events about this payment, in the order of their arrival.
    pub async fn until(&self, payment_id: &str, kind: &str) -> anyhow::Result<Vec<Value>> {
        let mut events = self.until_all(&[(payment_id, kind)]).await?;
        events.retain(|event| event["subject"] == payment_id);
        Ok(events)
    }

    /// Receives and deletes events until an event of each expected payment and type has arrived. Returns all received
    /// events.
    pub async fn until_all(&self, expected: &[(&str, &str)]) -> anyhow::Result<Vec<Value>> {
        let mut events: Vec<Value> = Vec::new();
        let arrived = eventually("the arrival of all events", async || {
            events.extend(self.receive().await?);
            let has_arrived = |(payment_id, kind): &(&str, &str)| {
                let mut events = events.iter();
                events.any(|event| event["subject"] == *payment_id && event["type"] == *kind)
            };
            Ok(expected.iter().all(has_arrived).then_some(()))
        });
        let arrived = arrived.await;
        arrived.with_context(|| format!("expected {expected:?}, received {events:?}"))?;
        Ok(events)
    }

    /// Receives and deletes events until none arrives for 2 s.
    pub async fn drain(&self) -> anyhow::Result<Vec<Value>> {
        let mut events = Vec::new();
        loop {
            let received = self.receive().await?;
            if received.is_empty() {
                return Ok(events);
            }
            events.extend(received);
        }
    }

    /// Returns the dead-letter queue of this queue.
    pub async fn dead_letters(&self) -> anyhow::Result<Self> {
        let arn = self.dead_letter_arn().await?;
        let name = arn.rsplit(':').next().unwrap_or_default();
        let answer = self.client.get_queue_url().queue_name(name).send().await?;
        Ok(Self {
            client: self.client.clone(),
            url: answer
                .queue_url
                .context("The dead-letter queue does not exist")?,
        })
    }

    /// Sets the visibility timeout to `seconds`, and the number of deliveries before a message becomes a dead letter.
    pub async fn set_redelivery(&self, seconds: u32, deliveries: u32) -> anyhow::Result<()> {
        let arn = self.dead_letter_arn().await?;
        let redrive = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": deliveries });
        self.client
            .set_queue_attributes()
            .queue_url(&self.url)
            .attributes(QueueAttributeName::VisibilityTimeout, seconds.to_string())
            .attributes(QueueAttributeName::RedrivePolicy, redrive.to_string())
            .send()
            .await
            .context("The queue cannot be changed")?;
        Ok(())
    }

    /// Sends a message in the message group of `payment`, such as `211/order-1`. `name` is the deduplication id and the
    /// attribute `type`.
    pub async fn send(&self, payment: &str, name: &str, body: &str) -> anyhow::Result<()> {
        let attribute = MessageAttributeValue::builder().data_type("String");
        let attribute = attribute.string_value(name);
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_group_id(sha256::hex(payment.as_bytes()))
            .message_attributes("type", attribute.build()?)
            .message_deduplication_id(name)
            .message_body(body)
            .send()
            .await
            .context("The queue refuses a message")?;
        Ok(())
    }

    /// Returns how many messages wait, and how many are delivered but not deleted.
    pub async fn counts(&self) -> anyhow::Result<(u64, u64)> {
        let waiting = QueueAttributeName::ApproximateNumberOfMessages;
        let delivered = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
        Ok((
            self.attribute(waiting).await?.parse()?,
            self.attribute(delivered).await?.parse()?,
        ))
    }

    /// Waits until the queue is empty.
    pub async fn until_empty(&self) -> anyhow::Result<()> {
        eventually("an empty queue", async || {
            Ok((self.counts().await? == (0, 0)).then_some(()))
        })
        .await
    }

    /// Receives messages without deleting them. The queue will deliver them again.
    pub async fn receive_only(&self) -> anyhow::Result<()> {
        let request = self.client.receive_message().queue_url(&self.url);
        let received = request.max_number_of_messages(10).send().await;
        received.context("The queue cannot be read")?;
        Ok(())
    }

    /// Receives and deletes `count` messages of any kind. Fails if more arrive.
    pub async fn take(&self, count: usize) -> anyhow::Result<Vec<Received>> {
        let mut messages = Vec::new();
        eventually("the arrival of all messages", async || {
            messages.extend(self.receive_messages().await?);
            Ok((messages.len() >= count).then_some(()))
        })
        .await?;
        ensure!(
            messages.len() == count,
            "{count} messages were expected: {messages:?}"
        );
        Ok(messages)
    }

    async fn dead_letter_arn(&self) -> anyhow::Result<String> {
        let redrive = self.attribute(QueueAttributeName::RedrivePolicy).await?;
        let redrive: Value = serde_json::from_str(&redrive)?;
        let arn = redrive["deadLetterTargetArn"].as_str();
        Ok(arn
            .context("The queue has no dead-letter queue")?
            .to_owned())
    }

    async fn attribute(&self, name: QueueAttributeName) -> anyhow::Result<String> {
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let answer = request.attribute_names(name.clone()).send().await;
        let answer = answer.context("The queue cannot be read")?;
        let value = answer.attributes().and_then(|all| all.get(&name)).cloned();
        value.with_context(|| format!("The queue has no {name}"))
    }

    async fn receive(&self) -> anyhow::Result<Vec<Value>> {
        let messages = self.receive_messages().await?;
        let read = |message: &Received| {
            let event = serde_json::from_str(&message.body)?;
            schemas::check(&event)?;
            Ok(event)
        };
        messages.iter().map(read).collect()
    }

    async fn receive_messages(&self) -> anyhow::Result<Vec<Received>> {
        let request = self.client.receive_message().queue_url(&self.url);
        let request = request.max_number_of_messages(10).wait_time_seconds(2);
        let request = request.message_attribute_names("All");
        let received = request.send().await.context("The queue cannot be read")?;
        let mut messages = Vec::new();
        for message in received.messages.unwrap_or_default() {
            let attributes = message.message_attributes.unwrap_or_default().into_iter();
            let attributes =
                attributes.filter_map(|(name, value)| Some((name, value.string_value?)));
            messages.push(Received {
                body: message.body.unwrap_or_default(),
                attributes: attributes.collect(),
            });
            self.client
                .delete_message()
                .queue_url(&self.url)
                .receipt_handle(message.receipt_handle.unwrap_or_default())
                .send()
                .await
                .context("A message cannot be deleted")?;
        }
        Ok(messages)
    }
}

/// Returns the types of events.
pub fn types(events: &[Value]) -> Vec<&str> {
    let types = events.iter().filter_map(|event| event["type"].as_str());
    types.collect()
}

/// Returns the sequence numbers of events.
pub fn sequences(events: &[Value]) -> Vec<u64> {
    let sequences = events.iter().map(|event| &event["data"]["sequence"]);
    sequences.filter_map(Value::as_u64).collect()
}
