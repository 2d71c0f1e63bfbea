//! A world in which everything can go wrong, the same way again for the same seed.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use ecommpay::fields::ProjectId;
use payments::events::{Event, EventKind};
use payments::model::PaidOrder;
use payments::model::day::Day;
use payments::ports::{
    Clock, Commit, CommitError, Committed, Daily, Due, EventQueue, Index, PaymentStore,
    ProgressStore, SendError, StoreError, Stored,
};
use payments::{PaymentKey, Timestamp};

use crate::memory::Memory;

/// Random numbers from a seed (SplitMix64).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// One event that a queue took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub queue: usize,
    pub event: Event,
}

struct Inner {
    random: Random,
    now: i64,
    /// Nothing goes wrong any more.
    quiet: bool,
    down: BTreeSet<usize>,
    sent: Vec<Sent>,
}

/// The clock, the faults and the queues' memory, shared by all ports.
#[derive(Clone)]
pub struct World(Arc<Mutex<Inner>>);

impl World {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            random: Random::new(seed),
            now: 1_800_000_000_000,
            quiet: false,
            down: BTreeSet::new(),
            sent: Vec::new(),
        })))
    }

    pub fn below(&self, end: u64) -> u64 {
        self.0.lock().unwrap().random.below(end)
    }

    /// Whether something goes wrong that does once in so many times.
    pub fn fails(&self, one_in: u64) -> bool {
        let mut inner = self.0.lock().unwrap();
        !inner.quiet && inner.random.below(one_in) == 0
    }

    pub fn be_quiet(&self) {
        let mut inner = self.0.lock().unwrap();
        inner.quiet = true;
        inner.down.clear();
    }

    pub fn pass(&self, millis: i64) {
        self.0.lock().unwrap().now += millis;
    }

    /// Takes a queue down, or brings it back.
    pub fn toggle(&self, queue: usize) {
        let mut inner = self.0.lock().unwrap();
        if !inner.down.remove(&queue) {
            inner.down.insert(queue);
        }
    }

    /// What was sent beyond the first so many.
    pub fn sent_after(&self, seen: usize) -> Vec<Sent> {
        self.0.lock().unwrap().sent[seen..].to_vec()
    }

    /// Lets others go first, none, one or two times.
    pub async fn step(&self) {
        for _ in 0..self.below(3) {
            let mut waited = false;
            poll_fn(|context| {
                if std::mem::replace(&mut waited, true) {
                    return Poll::Ready(());
                }
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.lock().unwrap().now)
    }

    async fn sleep(&self, duration: Duration) {
        self.pass(i64::try_from(duration.as_millis()).unwrap());
        self.step().await;
    }

    fn random(&self, end: u64) -> u64 {
        self.below(end)
    }
}

/// The store, with its failures.
pub struct Store {
    pub memory: Memory,
    pub world: World,
}

impl Store {
    async fn read(&self) -> Result<(), StoreError> {
        self.world.step().await;
        match self.world.fails(50) {
            true => Err(StoreError("throttled".into())),
            false => Ok(()),
        }
    }

    /// After something was written: the answer may be lost.
    async fn written(&self) -> Result<(), StoreError> {
        self.world.step().await;
        match self.world.fails(40) {
            true => Err(StoreError("no answer".into())),
            false => Ok(()),
        }
    }
}

impl PaymentStore for Store {
    async fn load(&self, key: &PaymentKey) -> Result<Option<Stored>, StoreError> {
        self.read().await?;
        let loaded = self.memory.load(key).await;
        self.world.step().await;
        loaded
    }

    async fn commit(&self, commit: Commit<'_>) -> Result<Committed, CommitError> {
        self.read().await?;
        if self.world.fails(30) {
            return Err(CommitError::Conflict);
        }
        let committed = self.memory.commit(commit).await?;
        self.written().await?;
        Ok(committed)
    }

    async fn events(&self, key: &PaymentKey, from: u64, to: u64) -> Result<Vec<Event>, StoreError> {
        self.read().await?;
        self.memory.events(key, from, to).await
    }

    async fn mark_published(&self, key: &PaymentKey, through: u64) -> Result<u64, StoreError> {
        self.read().await?;
        let before = self.memory.mark_published(key, through).await?;
        self.written().await?;
        Ok(before)
    }

    async fn due(
        &self,
        index: Index,
        shard: u8,
        due_by: Timestamp,
        after: Option<&Due>,
    ) -> Result<Vec<Due>, StoreError> {
        self.read().await?;
        self.memory.due(index, shard, due_by, after).await
    }

    async fn payments_of_day(
        &self,
        project_id: ProjectId,
        day: Day,
        shard: u8,
        after: Option<&PaymentKey>,
    ) -> Result<Vec<PaymentKey>, StoreError> {
        self.read().await?;
        self.memory
            .payments_of_day(project_id, day, shard, after)
            .await
    }

    async fn payments_of_order(&self, order: PaidOrder<'_>) -> Result<Vec<PaymentKey>, StoreError> {
        self.read().await?;
        self.memory.payments_of_order(order).await
    }

    async fn payment_of_token(&self, token: &str) -> Result<Option<PaymentKey>, StoreError> {
        self.memory.payment_of_token(token).await
    }
}

impl ProgressStore for Store {
    async fn progress(
        &self,
        project_id: ProjectId,
        daily: Daily,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.read().await?;
        self.memory.progress(project_id, daily).await
    }

    async fn advance(
        &self,
        project_id: ProjectId,
        daily: Daily,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.read().await?;
        self.memory.advance(project_id, daily, until).await?;
        self.written().await
    }
}

/// A queue: the first takes everything, the second only what is about money.
pub struct Queue {
    pub index: usize,
    pub world: World,
}

pub const QUEUES: usize = 2;

pub fn wants(queue: usize, kind: EventKind) -> bool {
    let about_the_shopper = matches!(
        kind,
        EventKind::PaymentCreated
            | EventKind::PaymentAwaitingCustomer
            | EventKind::PaymentAwaitingClarification
    );
    queue == 0 || !about_the_shopper
}

impl EventQueue for Queue {
    fn wants(&self, kind: EventKind) -> bool {
        wants(self.index, kind)
    }

    async fn send(&self, event: &Event, _: Option<&str>) -> Result<(), SendError> {
        self.world.step().await;
        if self.world.fails(20) {
            return Err(SendError("throttled".into()));
        }
        {
            let mut inner = self.world.0.lock().unwrap();
            if inner.down.contains(&self.index) {
                return Err(SendError("down".into()));
            }
            schemas::check(&serde_json::from_str(&event.body).unwrap()).unwrap();
            inner.sent.push(Sent {
                queue: self.index,
                event: event.clone(),
            });
        }
        self.world.step().await;
        match self.world.fails(20) {
            true => Err(SendError("no answer".into())),
            false => Ok(()),
        }
    }
}
