//! Implements the work queue in this process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use payments::ports::{Work, WorkMessage, WorkQueue, WorkQueueError};
use tokio::time::{Instant, sleep, sleep_until};

/// The maximum time between two checks for a message.
const INTERVAL: Duration = Duration::from_millis(50);

/// A queue that delivers each message once, after its delay.
#[derive(Debug, Default)]
pub struct DelayedQueue {
    /// The work by the time of delivery. The number makes the key unique.
    waiting: Mutex<BTreeMap<(Instant, usize), Work>>,
    /// Set when no further message will be sent.
    closed: AtomicBool,
}

impl DelayedQueue {
    /// Closes the queue. The caller must not send a message afterwards.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Waits for the next work. Returns `None` if the queue is closed and empty.
    pub async fn receive(&self) -> Option<Work> {
        loop {
            let next = {
                let mut waiting = self.waiting();
                match waiting.first_entry() {
                    Some(first) if first.key().0 <= Instant::now() => return Some(first.remove()),
                    Some(first) => Some(first.key().0),
                    None if self.closed.load(Ordering::Acquire) => return None,
                    None => None,
                }
            };
            match next {
                Some(at) => sleep_until(at.min(Instant::now() + INTERVAL)).await,
                None => sleep(INTERVAL).await,
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<(Instant, usize), Work>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WorkQueue for DelayedQueue {
    async fn send(&self, messages: &[WorkMessage]) -> Result<(), WorkQueueError> {
        let now = Instant::now();
        let mut waiting = self.waiting();
        for message in messages {
            let number = waiting.len();
            waiting.insert((now + message.delay, number), message.work.clone());
        }
        Ok(())
    }

    async fn backlog(&self) -> Result<u64, WorkQueueError> {
        let waiting = self.waiting();
        Ok(waiting.range(..(Instant::now(), 0)).count() as u64)
    }
}
