//! Makes random faults of the store and the queues. The same seed causes the same faults.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use payments::events::EventKind;
use payments::ports::{Clock, SendError, StoreError};

use crate::fakes::behaviour::Behaviour;
use crate::fakes::clock::TestClock;

/// One function for each queue, which returns whether the queue receives a type of event. The first queue receives all
/// events, and the second queue only events about money.
pub const QUEUES: [fn(EventKind) -> bool; 2] = [|_| true, is_about_money];

fn is_about_money(kind: EventKind) -> bool {
    !matches!(
        kind,
        EventKind::PaymentCreated
            | EventKind::PaymentAwaitingCustomer
            | EventKind::PaymentAwaitingClarification
    )
}

#[derive(Debug, Default)]
struct State {
    /// Whether the faults have stopped.
    stopped: bool,
    down: BTreeSet<usize>,
}

#[derive(Debug, Clone)]
pub struct RandomFaults {
    clock: TestClock,
    state: Arc<Mutex<State>>,
}

impl RandomFaults {
    pub fn new(clock: TestClock) -> Self {
        Self {
            clock,
            state: Arc::default(),
        }
    }

    /// Returns whether a fault with the probability 1 in `one_in` happens.
    pub fn happens(&self, one_in: u64) -> bool {
        !self.state.lock().unwrap().stopped && self.clock.random(one_in) == 0
    }

    pub fn stop(&self) {
        *self.state.lock().unwrap() = State {
            stopped: true,
            down: BTreeSet::new(),
        };
    }

    /// Takes a queue down, or makes it available again.
    pub fn toggle(&self, queue: usize) {
        let down = &mut self.state.lock().unwrap().down;
        if !down.remove(&queue) {
            down.insert(queue);
        }
    }
}

impl Behaviour for RandomFaults {
    async fn before_store(&self) -> Result<(), StoreError> {
        self.clock.step().await;
        match self.happens(50) {
            true => Err(StoreError::Failed("throttled".into())),
            false => Ok(()),
        }
    }

    async fn after_load(&self) {
        self.clock.step().await;
    }

    async fn after_write(&self) -> Result<(), StoreError> {
        self.clock.step().await;
        match self.happens(40) {
            true => Err(StoreError::Failed("no answer".into())),
            false => Ok(()),
        }
    }

    fn has_conflict(&self) -> bool {
        self.happens(30)
    }

    async fn before_send(&self, queue: usize) -> Result<(), SendError> {
        self.clock.step().await;
        if self.happens(20) {
            return Err(SendError("throttled".into()));
        }
        match self.state.lock().unwrap().down.contains(&queue) {
            true => Err(SendError("down".into())),
            false => Ok(()),
        }
    }

    async fn after_send(&self) -> Result<(), SendError> {
        self.clock.step().await;
        match self.happens(20) {
            true => Err(SendError("no answer".into())),
            false => Ok(()),
        }
    }
}
