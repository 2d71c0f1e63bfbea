//! Implements a queue in memory. It checks each event against its schema.

use std::sync::{Mutex, MutexGuard};

use payments::events::{Event, EventKind};
use payments::ports::{EventQueue, SendError};

use super::behaviour::Behaviour;

/// An event that a queue accepted.
#[derive(Debug, Clone)]
pub struct Sent {
    pub event: Event,
    pub storefront: Option<String>,
    /// The name of the repeat, if the event was sent before.
    pub repeat: Option<String>,
}

pub struct MemoryQueue<B> {
    number: usize,
    wants: fn(EventKind) -> bool,
    behaviour: B,
    sent: Mutex<Vec<Sent>>,
}

impl<B> MemoryQueue<B> {
    pub fn new(number: usize, wants: fn(EventKind) -> bool, behaviour: B) -> Self {
        Self {
            number,
            wants,
            behaviour,
            sent: Mutex::default(),
        }
    }

    pub fn sent(&self) -> MutexGuard<'_, Vec<Sent>> {
        self.sent.lock().unwrap()
    }
}

impl<B: Behaviour> EventQueue for MemoryQueue<B> {
    fn wants(&self, kind: EventKind) -> bool {
        (self.wants)(kind)
    }

    async fn send(
        &self,
        event: &Event,
        storefront: Option<&str>,
        repeat: Option<&str>,
    ) -> Result<(), SendError> {
        self.behaviour.before_send(self.number).await?;
        schemas::check(&serde_json::from_str(&event.body).unwrap()).unwrap();
        self.sent().push(Sent {
            event: event.clone(),
            storefront: storefront.map(str::to_owned),
            repeat: repeat.map(str::to_owned),
        });
        self.behaviour.after_send().await
    }
}
