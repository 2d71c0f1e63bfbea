//! Batches of events in, the events that were not taken out.

use std::time::{Duration, SystemTime};

use lambda_runtime::{Error, LambdaEvent};
use payments::log::Line;
use tokio::time::Instant;

use crate::batch::{Batch, Failures, NotTaken, Record};
use crate::event::Event;
use crate::memory::{MemoryStore, Taken, take};

/// What is left for the answer when time runs out.
const RESERVE: Duration = Duration::from_secs(1);

/// The consumer.
#[derive(Debug)]
pub struct Fulfilment<S> {
    store: S,
}

impl<S: MemoryStore> Fulfilment<S> {
    /// A consumer with its memory.
    pub fn new(store: S) -> Self {
        Self { store }
    }

    /// One batch.
    pub async fn handle(&self, event: LambdaEvent<Batch>) -> Result<Failures, Error> {
        let left = event.context.deadline().duration_since(SystemTime::now());
        let end = Instant::now() + left.unwrap_or_default().saturating_sub(RESERVE);
        let batch = event.payload;
        Ok(batch.each(end, |record| self.take(record)).await)
    }

    async fn take(&self, record: &Record) -> Result<(), NotTaken> {
        let event = Event::parse(&record.body).map_err(|unsound| {
            Line::error("fulfilment: a message is no event")
                .with("message_id", &record.message_id)
                .with("deliveries", record.deliveries())
                .with("reason", unsound.to_string())
                .write();
            NotTaken
        })?;
        let line = |line: Line| {
            line.with("payment", event.key.to_string())
                .with("sequence", event.sequence)
                .with("event", event.kind.map(|kind| kind.as_str()))
                .with("deliveries", record.deliveries())
        };
        match take(&self.store, &event).await {
            Ok(Taken { action, known }) => {
                line(Line::info("fulfilment: taken"))
                    .with("action", action.as_str())
                    .with("known", known)
                    .write();
                Ok(())
            }
            Err(error) => {
                line(Line::error("fulfilment: not taken"))
                    .with("error", error.to_string())
                    .write();
                Err(NotTaken)
            }
        }
    }
}
