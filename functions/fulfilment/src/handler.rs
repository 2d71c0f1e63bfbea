//! Processes a batch of events, logs one line for each message, and reports the messages that failed.

use std::time::Duration;

use aws::deadline::deadline;
use lambda_runtime::{Error, LambdaEvent};
use payments::log::Line;

use crate::batch::{Batch, Failed, Failures, Message};
use crate::event::Event;
use crate::memory::MemoryStore;
use crate::process::process;

/// Processing ends this long before the function's time-out, so that the response can still be sent.
const RESERVE: Duration = Duration::from_secs(1);

/// The sample consumer of the `fulfilment` queue.
#[derive(Debug)]
pub struct Fulfilment<S> {
    store: S,
}

impl<S: MemoryStore> Fulfilment<S> {
    /// Creates a consumer with this store.
    pub fn new(store: S) -> Self {
        Self { store }
    }

    /// Processes a batch. The answer has the ids of the messages that failed.
    pub async fn handle(&self, event: LambdaEvent<Batch>) -> Result<Failures, Error> {
        let deadline = deadline(&event.context, RESERVE);
        let batch = event.payload;
        Ok(batch
            .process(deadline, |message| self.process(message))
            .await)
    }

    async fn process(&self, message: &Message) -> Result<(), Failed> {
        let event = Event::parse(&message.body).map_err(|invalid| {
            Line::error("fulfilment: the message is not a valid event")
                .with("message_id", &message.message_id)
                .with("deliveries", message.deliveries())
                .with("reason", invalid.to_string())
                .write();
            Failed
        })?;
        let line = |line: Line| {
            line.with("payment", event.key.to_string())
                .with("sequence", event.sequence)
                .with("event", event.kind.map(|kind| kind.as_str()))
                .with("deliveries", message.deliveries())
        };
        match process(&self.store, &event).await {
            Ok(processed) => {
                line(Line::info("fulfilment: event processed"))
                    .with("action", processed.action.as_str())
                    .with("duplicate", processed.duplicate)
                    .write();
                Ok(())
            }
            Err(error) => {
                line(Line::error("fulfilment: event not processed"))
                    .with("error", error.to_string())
                    .write();
                Err(Failed)
            }
        }
    }
}
