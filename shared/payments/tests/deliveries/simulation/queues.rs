//! Implements a FIFO queue with groups, deduplication, visibility and delay, as SQS documents them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use payments::Timestamp;
use payments::ports::{Clock, Delivery, DeliveryMessage, DeliveryQueue, SendError};

use super::faults::Faults;
use crate::fakes::clock::TestClock;

/// A received message that is not deleted is visible again after this time.
const VISIBILITY: Duration = Duration::from_secs(120);
const DEDUPLICATION: Duration = Duration::from_secs(300);

#[derive(Debug, Clone)]
pub struct Received<T> {
    pub id: u64,
    pub content: T,
    pub sent_at: Timestamp,
}

#[derive(Debug)]
struct Message<T> {
    id: u64,
    group: String,
    content: T,
    sent_at: Timestamp,
    visible_at: Timestamp,
}

#[derive(Debug)]
struct State<T> {
    next_id: u64,
    messages: Vec<Message<T>>,
    seen: BTreeMap<String, Timestamp>,
}

#[derive(Debug)]
pub struct Fifo<T> {
    clock: TestClock,
    delay: Duration,
    state: Mutex<State<T>>,
}

impl<T: Clone> Fifo<T> {
    pub fn new(clock: TestClock, delay: Duration) -> Self {
        Self {
            clock,
            delay,
            state: Mutex::new(State {
                next_id: 0,
                messages: Vec::new(),
                seen: BTreeMap::new(),
            }),
        }
    }

    pub fn push(&self, group: &str, deduplication_id: &str, content: T) {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap();
        let seen = state.seen.get(deduplication_id);
        if seen.is_some_and(|at| now.since(*at) < DEDUPLICATION) {
            return;
        }
        state.seen.insert(deduplication_id.to_owned(), now);
        let id = state.next_id;
        state.next_id += 1;
        state.messages.push(Message {
            id,
            group: group.to_owned(),
            content,
            sent_at: now,
            visible_at: now.after(self.delay),
        });
    }

    /// Receives at most `max` messages of one group. A group with an invisible message is blocked.
    pub fn receive(&self, max: usize) -> Vec<Received<T>> {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap();
        let blocked: BTreeSet<String> = of_groups(&state, |message| message.visible_at > now);
        let free: Vec<String> = of_groups(&state, |message| !blocked.contains(&message.group))
            .into_iter()
            .collect();
        if free.is_empty() {
            return Vec::new();
        }
        let chosen = usize::try_from(self.clock.random(free.len() as u64)).unwrap();
        let group = &free[chosen];
        let of_group = state.messages.iter_mut().filter(|one| one.group == *group);
        let received = of_group.take(max).map(|message| {
            message.visible_at = now.after(VISIBILITY);
            Received {
                id: message.id,
                content: message.content.clone(),
                sent_at: message.sent_at,
            }
        });
        received.collect()
    }

    pub fn delete(&self, id: u64) {
        let mut state = self.state.lock().unwrap();
        state.messages.retain(|message| message.id != id);
    }

    pub fn len(&self) -> usize {
        self.state.lock().unwrap().messages.len()
    }
}

fn of_groups<T>(state: &State<T>, is_meant: impl Fn(&Message<T>) -> bool) -> BTreeSet<String> {
    let meant = state.messages.iter().filter(|message| is_meant(message));
    meant.map(|message| message.group.clone()).collect()
}

/// A queue of deliveries that can refuse a message or lose its answer.
pub struct FaultyQueue {
    pub queue: Fifo<Delivery>,
    pub faults: Arc<Faults>,
}

impl DeliveryQueue for FaultyQueue {
    async fn send(&self, messages: &[DeliveryMessage]) -> Vec<Result<(), SendError>> {
        self.faults.clock.step().await;
        let accept = |message: &DeliveryMessage| {
            let down = || Err(SendError("down".into()));
            if self.faults.happens(30) {
                return down();
            }
            let (group, id) = (&message.group, &message.deduplication_id);
            self.queue.push(group, id, message.delivery.clone());
            if self.faults.happens(30) {
                down()
            } else {
                Ok(())
            }
        };
        let results = messages.iter().map(accept).collect();
        self.faults.clock.step().await;
        results
    }
}
