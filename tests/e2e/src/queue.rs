//! A consumer of the events.

use anyhow::{Context, bail};
use aws_credential_types::Credentials;
use aws_sdk_sqs::Client;
use payments::adapters::aws;
use sandbox::Ready;
use sandbox::local_aws::CREDENTIALS;
use serde_json::Value;
use tokio::time::Instant;

use crate::PATIENCE;

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
        let (id, secret) = CREDENTIALS;
        let credentials = Credentials::new(id, secret, None, None, "test");
        let config = aws::config(
            ready.region.clone(),
            credentials,
            Some(ready.aws_endpoint.clone()),
        );
        Ok(Self {
            client: Client::new(&config),
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
        let mut events = Vec::new();
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            for event in self.receive().await? {
                if event.get("subject").and_then(Value::as_str) == Some(payment_id) {
                    events.push(event);
                }
            }
            if events
                .iter()
                .any(|event| event.get("type").and_then(Value::as_str) == Some(kind))
            {
                return Ok(events);
            }
        }
        bail!(
            "no {kind} of {payment_id} came within {} s, but {events:?}",
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

    async fn receive(&self) -> anyhow::Result<Vec<Value>> {
        let received = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            .wait_time_seconds(2)
            .send()
            .await
            .context("The queue cannot be read")?;
        let mut events = Vec::new();
        for message in received.messages.unwrap_or_default() {
            let event = serde_json::from_str(message.body.as_deref().unwrap_or_default())?;
            schemas::check(&event)?;
            events.push(event);
            self.client
                .delete_message()
                .queue_url(&self.url)
                .receipt_handle(message.receipt_handle.unwrap_or_default())
                .send()
                .await
                .context("An event cannot be deleted")?;
        }
        Ok(events)
    }
}
