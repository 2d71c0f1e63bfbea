//! A consumer of the events.

use anyhow::{Context, bail};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use payments::sha256;
use sandbox::Ready;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{PATIENCE, account, eventually};

/// One queue of a sandbox.
#[derive(Debug)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// The queue of that name.
    ///
    /// # Errors
    ///
    /// When the sandbox has none.
    pub fn new(ready: &Ready, name: &str) -> anyhow::Result<Self> {
        let url = ready
            .queues
            .get(name)
            .with_context(|| format!("There is no queue {name}"))?;
        Ok(Self {
            client: Client::new(&account(ready)),
            url: url.clone(),
        })
    }

    /// Reads and deletes events until the one of a type about a payment comes; gives all that came
    /// for this payment, in their order.
    ///
    /// # Errors
    ///
    /// When it does not come in time, or an event is not as its schema says.
    pub async fn until(&self, payment_id: &str, kind: &str) -> anyhow::Result<Vec<Value>> {
        let mut events = self.until_all(&[(payment_id, kind)]).await?;
        events.retain(|event| text(event, "subject") == payment_id);
        Ok(events)
    }

    /// Reads and deletes events until for each payment one of a type has come; gives all that came.
    ///
    /// # Errors
    ///
    /// When one does not come in time.
    pub async fn until_all(&self, wanted: &[(&str, &str)]) -> anyhow::Result<Vec<Value>> {
        let mut events: Vec<Value> = Vec::new();
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            events.extend(self.receive().await?);
            let came = |wanted: &(&str, &str)| {
                let mut events = events.iter();
                events.any(|event| (text(event, "subject"), text(event, "type")) == *wanted)
            };
            if wanted.iter().all(came) {
                return Ok(events);
            }
        }
        bail!(
            "not all of {wanted:?} came within {} s, but {events:?}",
            PATIENCE.as_secs()
        )
    }

    /// Reads and deletes everything that is in the queue now, whatever it is about.
    ///
    /// # Errors
    ///
    /// When the queue cannot be read, or an event is not as its schema says.
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

    /// The queue that takes what this one cannot get rid of.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub async fn dead_letters(&self) -> anyhow::Result<Self> {
        let arn = self.dead_letter_arn().await?;
        let name = arn.rsplit(':').next().unwrap_or_default();
        let answer = self.client.get_queue_url().queue_name(name).send().await?;
        Ok(Self {
            client: self.client.clone(),
            url: answer
                .queue_url
                .context("The dead letters have no address")?,
        })
    }

    /// Lets messages that are not taken come back after some seconds, and gives up on them after
    /// some deliveries, sooner than in production.
    ///
    /// # Errors
    ///
    /// When the queue cannot be changed.
    pub async fn hurry(&self, seconds: u32, deliveries: u32) -> anyhow::Result<()> {
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

    /// Sends a message in the group of a payment; `name` tells it from all others.
    ///
    /// # Errors
    ///
    /// When it is not taken.
    pub async fn send(&self, payment: &str, name: &str, body: &str) -> anyhow::Result<()> {
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_group_id(sha256::hex(payment.as_bytes()))
            .message_deduplication_id(name)
            .message_body(body)
            .send()
            .await
            .context("The queue takes no message")?;
        Ok(())
    }

    /// How many messages wait, and how many have been delivered without an answer.
    ///
    /// # Errors
    ///
    /// When the queue does not tell.
    pub async fn counts(&self) -> anyhow::Result<(u64, u64)> {
        let waiting = QueueAttributeName::ApproximateNumberOfMessages;
        let delivered = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
        Ok((
            self.attribute(waiting).await?.parse()?,
            self.attribute(delivered).await?.parse()?,
        ))
    }

    /// Waits until the queue is empty.
    ///
    /// # Errors
    ///
    /// When it is not in time.
    pub async fn empty(&self) -> anyhow::Result<()> {
        eventually("emptying the queue", || async {
            Ok((self.counts().await? == (0, 0)).then_some(()))
        })
        .await
    }

    /// Reads messages, whatever they hold, and leaves them: they come again.
    ///
    /// # Errors
    ///
    /// When the queue cannot be read.
    pub async fn leave(&self) -> anyhow::Result<()> {
        let request = self.client.receive_message().queue_url(&self.url);
        let received = request.max_number_of_messages(10).send().await;
        received.context("The queue cannot be read")?;
        Ok(())
    }

    /// Reads and deletes messages, whatever they hold, until there are as many as wanted.
    ///
    /// # Errors
    ///
    /// When they do not come in time.
    pub async fn take(&self, wanted: usize) -> anyhow::Result<Vec<String>> {
        let mut bodies = Vec::new();
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && bodies.len() < wanted {
            bodies.extend(self.receive_bodies().await?);
        }
        if bodies.len() != wanted {
            bail!("{wanted} messages were wanted, but there are {bodies:?}");
        }
        Ok(bodies)
    }

    async fn dead_letter_arn(&self) -> anyhow::Result<String> {
        let redrive = self.attribute(QueueAttributeName::RedrivePolicy).await?;
        let redrive: Value = serde_json::from_str(&redrive)?;
        let arn = redrive.get("deadLetterTargetArn").and_then(Value::as_str);
        Ok(arn.context("The queue has no dead letters")?.to_owned())
    }

    async fn attribute(&self, name: QueueAttributeName) -> anyhow::Result<String> {
        let answer = self
            .client
            .get_queue_attributes()
            .queue_url(&self.url)
            .attribute_names(name.clone())
            .send()
            .await
            .context("The queue does not tell about itself")?;
        let value = answer.attributes().and_then(|all| all.get(&name)).cloned();
        value.with_context(|| format!("The queue has no {name}"))
    }

    async fn receive(&self) -> anyhow::Result<Vec<Value>> {
        let bodies = self.receive_bodies().await?;
        let read = |body: &String| {
            let event = serde_json::from_str(body)?;
            schemas::check(&event)?;
            Ok(event)
        };
        bodies.iter().map(read).collect()
    }

    async fn receive_bodies(&self) -> anyhow::Result<Vec<String>> {
        let received = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            .wait_time_seconds(2)
            .send()
            .await
            .context("The queue cannot be read")?;
        let mut bodies = Vec::new();
        for message in received.messages.unwrap_or_default() {
            bodies.push(message.body.unwrap_or_default());
            self.client
                .delete_message()
                .queue_url(&self.url)
                .receipt_handle(message.receipt_handle.unwrap_or_default())
                .send()
                .await
                .context("An event cannot be deleted")?;
        }
        Ok(bodies)
    }
}

fn text<'a>(event: &'a Value, name: &str) -> &'a str {
    event.get(name).and_then(Value::as_str).unwrap_or_default()
}
