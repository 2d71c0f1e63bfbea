//! Implements the work queue in memory. It delivers a message only when a test takes the message.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use payments::ports::{Work, WorkMessage, WorkQueue, WorkQueueError};

use super::behaviour::Behaviour;

/// The number of the work queue in [`Behaviour::before_send`]. The event queues have lower numbers.
pub const WORK_QUEUE: usize = 1_000;

pub struct MemoryWorkQueue<B> {
    behaviour: B,
    messages: Mutex<Vec<WorkMessage>>,
    /// The number of messages that wait in addition to `messages`.
    pub further_backlog: AtomicU64,
}

impl<B> MemoryWorkQueue<B> {
    pub fn new(behaviour: B) -> Self {
        Self {
            behaviour,
            messages: Mutex::default(),
            further_backlog: AtomicU64::new(0),
        }
    }

    /// Removes all messages and returns them, in the order in which they were sent.
    pub fn take_all(&self) -> Vec<WorkMessage> {
        std::mem::take(&mut self.messages.lock().unwrap())
    }

    /// Removes the message that was sent first.
    pub fn take(&self) -> Option<WorkMessage> {
        let mut messages = self.messages.lock().unwrap();
        (!messages.is_empty()).then(|| messages.remove(0))
    }
}

impl<B: Behaviour> WorkQueue for MemoryWorkQueue<B> {
    async fn send(&self, messages: &[WorkMessage]) -> Result<(), WorkQueueError> {
        let sent = self.behaviour.before_send(WORK_QUEUE).await;
        sent.map_err(|error| WorkQueueError(error.to_string()))?;
        for message in messages {
            // The worker must be able to read the message.
            let work: Work = serde_json::from_str(&message.body()).unwrap();
            assert_eq!(work, message.work);
        }
        self.messages.lock().unwrap().extend_from_slice(messages);
        Ok(())
    }

    async fn backlog(&self) -> Result<u64, WorkQueueError> {
        Ok(self.further_backlog.load(SeqCst))
    }
}
