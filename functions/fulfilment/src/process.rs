//! Processes one event: loads the [`Memory`](crate::memory::Memory) of its payment, decides the action, and saves the
//! memory.

use payments::ports::{CommitError, StoreError, SystemClock};
use payments::service::backoff;

use crate::decide::{Decision, decide};
use crate::event::Event;
use crate::goods::Action;
use crate::memory::MemoryStore;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processed {
    pub action: Action,
    /// Whether an earlier delivery has processed the event.
    pub duplicate: bool,
}

/// Processes an event. One write stores the event's sequence number together with its action. If another call changes
/// the memory before this write, the function loads the memory again and decides again.
pub async fn process<S: MemoryStore>(store: &S, event: &Event) -> Result<Processed, StoreError> {
    for attempt in 0..backoff::TRIES {
        let (memory, version) = store.load(&event.key).await?.unzip();
        let (action, memory) = match decide(memory, event) {
            Decision::Duplicate(action) => {
                return Ok(Processed {
                    action,
                    duplicate: true,
                });
            }
            Decision::New(action, memory) => (action, memory),
        };
        match store.save(&event.key, &memory, version).await {
            Ok(()) => {
                return Ok(Processed {
                    action,
                    duplicate: false,
                });
            }
            Err(CommitError::Conflict) => backoff::pause(&SystemClock, attempt).await,
            Err(CommitError::Store(error)) => return Err(error),
        }
    }
    Err(StoreError::Failed(
        "too many concurrent writes to one payment".into(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::samples::{refunded, succeeded};
    use crate::memory::Memory;
    use payments::PaymentKey;
    use std::sync::Mutex;

    /// A store with the memory of one payment. It can simulate concurrent writers and lost responses.
    #[derive(Default)]
    struct FakeStore {
        stored: Mutex<Option<(Memory, u64)>>,
        /// The events that another consumer processes between `load` and `save` of the consumer under test.
        concurrent: Mutex<Vec<Event>>,
        /// The number of next writes whose responses are lost, although the writes succeed.
        lost_responses: Mutex<u32>,
    }

    impl FakeStore {
        fn shipments(&self) -> usize {
            let stored = self.stored.lock().unwrap();
            let (memory, _) = stored.as_ref().unwrap();
            let shipped = |sequence: &u64| memory.actions.of(*sequence) == Some(Action::Ship);
            (1..10).filter(shipped).count()
        }
    }

    impl MemoryStore for FakeStore {
        async fn load(&self, _: &PaymentKey) -> Result<Option<(Memory, u64)>, StoreError> {
            Ok(self.stored.lock().unwrap().clone())
        }

        async fn save(
            &self,
            _: &PaymentKey,
            memory: &Memory,
            loaded_version: Option<u64>,
        ) -> Result<(), CommitError> {
            let mut stored = self.stored.lock().unwrap();
            if let Some(event) = self.concurrent.lock().unwrap().pop() {
                let (memory, version) = stored.clone().unzip();
                if let Decision::New(_, memory) = decide(memory, &event) {
                    *stored = Some((memory, version.unwrap_or(0) + 1));
                }
            }
            if stored.as_ref().map(|(_, version)| *version) != loaded_version {
                return Err(CommitError::Conflict);
            }
            *stored = Some((memory.clone(), loaded_version.unwrap_or(0) + 1));
            let mut lost = self.lost_responses.lock().unwrap();
            if *lost > 0 {
                *lost -= 1;
                return Err(StoreError::Failed("no response in time".into()).into());
            }
            Ok(())
        }
    }

    const SHIPPED: Processed = Processed {
        action: Action::Ship,
        duplicate: false,
    };
    const SHIPPED_BEFORE: Processed = Processed {
        action: Action::Ship,
        duplicate: true,
    };

    #[tokio::test]
    async fn a_repeated_event_ships_once() {
        let store = FakeStore::default();
        assert_eq!(process(&store, &succeeded(3)).await.unwrap(), SHIPPED);
        let again = process(&store, &succeeded(3)).await.unwrap();
        assert_eq!(again, SHIPPED_BEFORE);
        assert_eq!(store.shipments(), 1);
    }

    #[tokio::test]
    async fn an_event_whose_write_got_no_response_ships_once() {
        let store = FakeStore::default();
        *store.lost_responses.lock().unwrap() = 1;
        assert!(process(&store, &succeeded(3)).await.is_err());
        let again = process(&store, &succeeded(3)).await.unwrap();
        assert_eq!(again, SHIPPED_BEFORE);
        assert_eq!(store.shipments(), 1);
    }

    #[tokio::test]
    async fn an_event_that_two_consumers_process_ships_once() {
        let store = FakeStore::default();
        store.concurrent.lock().unwrap().push(succeeded(3));
        let processed = process(&store, &succeeded(3)).await.unwrap();
        assert_eq!(processed, SHIPPED_BEFORE);
        assert_eq!(store.shipments(), 1);
    }

    #[tokio::test]
    async fn a_success_ships_nothing_when_another_consumer_stores_a_full_refund_first() {
        let store = FakeStore::default();
        store.concurrent.lock().unwrap().push(refunded(5, 1000));
        let processed = process(&store, &succeeded(3)).await.unwrap();
        assert_eq!(processed.action, Action::Nothing);
        assert!(!processed.duplicate);
        assert_eq!(store.shipments(), 0);
    }
}
