//! What is remembered of a payment, and how an event gets in.

use std::future::Future;

use payments::PaymentKey;
use payments::ports::{CommitError, StoreError, SystemClock};
use payments::service::backoff;

use crate::actions::{Action, Actions};
use crate::decide::{Decision, decide};
use crate::event::{Event, State};

/// What is remembered of one payment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// Where the goods are, if everyone does as told.
    pub goods: Goods,
    /// The newest state heard of.
    pub newest: Option<Newest>,
    /// The events that were taken, with what followed from each.
    pub actions: Actions,
}

/// The state that the event with the highest number carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newest {
    /// The number.
    pub sequence: u64,
    /// The state.
    pub state: State,
}

/// Where the goods are, if everyone does as told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Goods {
    /// Here.
    #[default]
    Waiting,
    /// Here, until somebody has looked.
    Held,
    /// Sent.
    Shipped,
    /// Sent, but to be stopped until somebody has looked.
    Stopped,
    /// Here again.
    TakenBack,
}

impl Goods {
    /// Where they are after an action.
    pub fn after(self, action: Action) -> Self {
        match (action, self) {
            (Action::Ship, _) => Goods::Shipped,
            (Action::TakeBack, _) => Goods::TakenBack,
            (Action::Hold, Goods::Shipped | Goods::Stopped) => Goods::Stopped,
            (Action::Hold, _) => Goods::Held,
            (Action::Nothing, goods) => goods,
        }
    }
}

/// Where the memory is kept.
pub trait MemoryStore {
    /// What is remembered of a payment, and its version; `None` if nothing is.
    fn load(
        &self,
        key: &PaymentKey,
    ) -> impl Future<Output = Result<Option<(Memory, u64)>, StoreError>> + Send;

    /// Writes all of it at once if it still has the version `over` (`None`: is not there yet).
    fn save(
        &self,
        key: &PaymentKey,
        memory: &Memory,
        over: Option<u64>,
    ) -> impl Future<Output = Result<(), CommitError>> + Send;
}

/// An event was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// What followed from it.
    pub action: Action,
    /// Whether that was so already.
    pub known: bool,
}

/// Takes an event: it and its action are remembered in one write. If another consumer was faster,
/// decides again on what that one has left.
pub async fn take<S: MemoryStore>(store: &S, event: &Event) -> Result<Taken, StoreError> {
    for attempt in 0..backoff::ATTEMPTS {
        let (memory, version) = match store.load(&event.key).await? {
            Some((memory, version)) => (memory, Some(version)),
            None => (Memory::default(), None),
        };
        let (action, memory) = match decide(memory, event) {
            Decision::Known(action) => {
                return Ok(Taken {
                    action,
                    known: true,
                });
            }
            Decision::New(action, memory) => (action, memory),
        };
        match store.save(&event.key, &memory, version).await {
            Ok(()) => {
                return Ok(Taken {
                    action,
                    known: false,
                });
            }
            Err(CommitError::Conflict) => backoff::pause(&SystemClock, attempt).await,
            Err(CommitError::Store(error)) => return Err(error),
        }
    }
    Err(StoreError("too many write one payment at once".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecommpay::fields::ProjectId;
    use payments::events::EventKind;
    use payments::model::Status;
    use std::sync::Mutex;

    /// A store in which things happen between the calls.
    #[derive(Default)]
    struct Fake {
        kept: Mutex<Option<(Memory, u64)>>,
        /// Events that other consumers take just before our writes.
        others: Mutex<Vec<Event>>,
        /// How many writes arrive, but their answers do not.
        lost_answers: Mutex<u32>,
    }

    impl Fake {
        fn shipments(&self) -> usize {
            let kept = self.kept.lock().unwrap();
            let (memory, _) = kept.as_ref().unwrap();
            let shipped = |sequence: &u64| memory.actions.of(*sequence) == Some(Action::Ship);
            (1..10).filter(shipped).count()
        }
    }

    impl MemoryStore for Fake {
        async fn load(&self, _: &PaymentKey) -> Result<Option<(Memory, u64)>, StoreError> {
            Ok(self.kept.lock().unwrap().clone())
        }

        async fn save(
            &self,
            _: &PaymentKey,
            memory: &Memory,
            over: Option<u64>,
        ) -> Result<(), CommitError> {
            let mut kept = self.kept.lock().unwrap();
            if let Some(event) = self.others.lock().unwrap().pop() {
                let (memory, version) = kept.clone().unwrap_or_default();
                if let Decision::New(_, memory) = decide(memory, &event) {
                    *kept = Some((memory, version + 1));
                }
            }
            if kept.as_ref().map(|(_, version)| *version) != over {
                return Err(CommitError::Conflict);
            }
            *kept = Some((memory.clone(), over.unwrap_or(0) + 1));
            let mut lost = self.lost_answers.lock().unwrap();
            if *lost > 0 {
                *lost -= 1;
                return Err(StoreError("no answer in time".into()).into());
            }
            Ok(())
        }
    }

    fn event(sequence: u64, kind: EventKind, status: Status, refunded_amount: u64) -> Event {
        Event {
            key: PaymentKey::new(ProjectId::new(211).unwrap(), "p-1"),
            sequence,
            kind: Some(kind),
            state: State {
                status,
                paid_amount: 1000,
                refunded_amount,
            },
        }
    }

    fn paid() -> Event {
        event(3, EventKind::PaymentSucceeded, Status::Succeeded, 0)
    }

    fn refunded() -> Event {
        event(5, EventKind::RefundSucceeded, Status::Refunded, 1000)
    }

    fn taken(action: Action, known: bool) -> Taken {
        Taken { action, known }
    }

    #[tokio::test]
    async fn an_event_is_acted_on_once() {
        let store = Fake::default();
        assert_eq!(
            take(&store, &paid()).await.unwrap(),
            taken(Action::Ship, false)
        );
        assert_eq!(
            take(&store, &paid()).await.unwrap(),
            taken(Action::Ship, true)
        );
        assert_eq!(store.shipments(), 1);
    }

    #[tokio::test]
    async fn a_crash_after_the_write_leads_to_a_repeat_and_to_no_second_action() {
        let store = Fake::default();
        *store.lost_answers.lock().unwrap() = 1;
        assert!(take(&store, &paid()).await.is_err());
        assert_eq!(
            take(&store, &paid()).await.unwrap(),
            taken(Action::Ship, true)
        );
        assert_eq!(store.shipments(), 1);
    }

    #[tokio::test]
    async fn two_consumers_of_one_event_act_once() {
        let store = Fake::default();
        store.others.lock().unwrap().push(paid());
        assert_eq!(
            take(&store, &paid()).await.unwrap(),
            taken(Action::Ship, true)
        );
        assert_eq!(store.shipments(), 1);
    }

    #[tokio::test]
    async fn what_another_consumer_has_learned_meanwhile_counts() {
        let store = Fake::default();
        store.others.lock().unwrap().push(refunded());
        let nothing = taken(Action::Nothing, false);
        assert_eq!(take(&store, &paid()).await.unwrap(), nothing);
        assert_eq!(store.shipments(), 0);
    }
}
