//! Makes random faults of the store and the queues. The same seed causes the same faults.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use payments::events::EventKind;
use payments::ports::{Clock, SendError, StoreError};

use crate::fakes::behaviour::Behaviour;
use crate::fakes::clock::TestClock;
use crate::next_release;

/// One function for each queue. The function returns whether the queue receives a type of event. The first queue
/// receives all events. The second queue does not receive all types.
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
    /// The releases that work on the table, or `None` if only this release works on the table.
    releases: Option<Releases>,
}

/// A release of the functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    This,
    Next,
}

/// Two releases that work on one table.
#[derive(Debug)]
struct Releases {
    /// The release of the task that runs.
    running: Release,
    /// On average, this number of four new tasks is of the next release.
    next_of_four: u64,
    counts: ReleaseCounts,
}

/// What happened while two releases worked on one table.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReleaseCounts {
    /// Writes of the next release.
    pub by_next: u64,
    /// Writes of this release.
    pub by_this: u64,
    /// Writes of this release into a document of the next release.
    pub over_next: u64,
    /// Writes of this release into a document with a word that this release does not know.
    pub over_unknown_words: u64,
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
        let mut state = self.state.lock().unwrap();
        state.stopped = true;
        state.down.clear();
        if let Some(releases) = &mut state.releases {
            releases.next_of_four = 2;
        }
    }

    /// Ends the rollout: all new tasks are of the next release. Returns `false` if only this release works on the
    /// table.
    pub fn end_rollout(&self) -> bool {
        let mut state = self.state.lock().unwrap();
        let releases = state.releases.as_mut();
        releases.map(|releases| releases.next_of_four = 4).is_some()
    }

    /// Lets two releases work on the table. Half of the tasks are of the next release.
    pub fn use_two_releases(&self) {
        self.state.lock().unwrap().releases = Some(Releases {
            running: Release::This,
            next_of_four: 2,
            counts: ReleaseCounts::default(),
        });
    }

    /// Moves to another phase of a rollout or of a rollback, if two releases work on the table.
    pub fn change_shares(&self) {
        if let Some(releases) = &mut self.state.lock().unwrap().releases {
            releases.next_of_four = self.clock.random(5);
        }
    }

    /// Returns the release of a new task.
    pub fn choose_release(&self) -> Release {
        let state = self.state.lock().unwrap();
        let next_of_four = state.releases.as_ref().map_or(0, |one| one.next_of_four);
        match next_of_four > 0 && self.clock.random(4) < next_of_four {
            true => Release::Next,
            false => Release::This,
        }
    }

    /// Records the release of the task that runs now.
    pub fn run_as(&self, release: Release) {
        if let Some(releases) = &mut self.state.lock().unwrap().releases {
            releases.running = release;
        }
    }

    fn running(&self) -> Option<Release> {
        let state = self.state.lock().unwrap();
        state.releases.as_ref().map(|releases| releases.running)
    }

    /// Returns the counts, or `None` if only this release works on the table.
    pub fn release_counts(&self) -> Option<ReleaseCounts> {
        let state = self.state.lock().unwrap();
        state.releases.as_ref().map(|releases| releases.counts)
    }

    fn count(&self, count: impl FnOnce(&mut ReleaseCounts)) {
        let mut state = self.state.lock().unwrap();
        if let Some(releases) = &mut state.releases {
            count(&mut releases.counts);
        }
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

    fn to_stored(&self, document: &str, before: Option<&str>) -> Option<String> {
        Some(match self.running()? {
            Release::Next => {
                self.count(|counts| counts.by_next += 1);
                let has_words = self.clock.random(2) == 0;
                next_release::to_next(document, || has_words && self.clock.random(3) == 0)
            }
            Release::This => {
                self.count(|counts| counts.by_this += 1);
                let before = before.filter(|before| !before.starts_with(r#"{"format":1,"#));
                if let Some(before) = before {
                    let has_words = !next_release::unknown_words(before).is_empty();
                    self.count(|counts| {
                        counts.over_next += 1;
                        counts.over_unknown_words += u64::from(has_words);
                    });
                    next_release::check_kept(before, document);
                }
                document.to_owned()
            }
        })
    }

    fn to_read(&self, stored: &str) -> String {
        match self.running() {
            Some(Release::Next) => next_release::to_known(stored),
            _ => stored.to_owned(),
        }
    }

    fn to_known(&self, stored: &str) -> String {
        next_release::to_known(stored)
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
