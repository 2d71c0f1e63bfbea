//! The payments in memory, with the promises of the real store: a change is written whole or not
//! at all, and only over the version that was read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use ecommpay::fields::ProjectId;
use payments::events::Event;
use payments::model::PaidOrder;
use payments::model::day::Day;
use payments::model::schedule::Next;
use payments::ports::{
    Commit, CommitError, Committed, Daily, Due, Index, PaymentStore, ProgressStore, SHARDS,
    StoreError, Stored,
};
use payments::{PaymentKey, Timestamp};

/// How many entries of an index are read at once.
const PAGE: usize = 2;

fn shard_of(key: &PaymentKey) -> usize {
    key.to_string().len() % usize::from(SHARDS)
}

pub fn order_of(order: PaidOrder<'_>) -> String {
    let order_id = order.order_id.as_str().to_ascii_lowercase();
    format!("{} {order_id} {}", order.project_id, order.storefront)
}

#[derive(Default)]
pub struct Memory {
    pub rows: Mutex<BTreeMap<PaymentKey, Stored>>,
    pub events: Mutex<BTreeMap<(PaymentKey, u64), Event>>,
    pub tokens: Mutex<BTreeMap<String, PaymentKey>>,
    /// The payments with unpublished events, and since when they have them.
    pub outbox: Mutex<BTreeMap<PaymentKey, Timestamp>>,
    /// What is to be done about the payments.
    pub plans: Mutex<BTreeMap<PaymentKey, Next>>,
    /// The days that payments have had.
    pub days: Mutex<BTreeSet<(Day, PaymentKey)>>,
    /// The payments of the orders that were paid.
    pub paid: Mutex<BTreeSet<(String, PaymentKey)>>,
    /// How far the work of each day is done.
    pub progress: Mutex<BTreeMap<(ProjectId, Daily), Timestamp>>,
    /// How often a payment was read.
    pub reads: AtomicUsize,
    /// How often it was looked who has paid an order.
    pub looks: AtomicUsize,
    /// So many commits meet another writer whose row cannot be seen yet.
    pub invisible_conflicts: AtomicUsize,
}

impl PaymentStore for Memory {
    async fn load(&self, key: &PaymentKey) -> Result<Option<Stored>, StoreError> {
        tokio::task::yield_now().await;
        self.reads.fetch_add(1, SeqCst);
        Ok(self.rows.lock().unwrap().get(key).cloned())
    }

    async fn commit(&self, commit: Commit<'_>) -> Result<Committed, CommitError> {
        let Commit { change, next, .. } = commit;
        let over = commit.over.map(|stored| stored.version);
        tokio::task::yield_now().await;
        let invisible = &self.invisible_conflicts;
        if invisible
            .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1))
            .is_ok()
        {
            return Err(CommitError::Conflict);
        }
        let key = change.payment.key();
        let mut rows = self.rows.lock().unwrap();
        let row = rows.get(&key);
        if row.map(|row| row.version) != over {
            return Err(CommitError::Conflict);
        }
        let days = change.payment.days();
        let days = days.into_iter().map(|day| (day, key.clone()));
        self.days.lock().unwrap().extend(days);
        let known = commit.over.and_then(|stored| stored.payment.paid_order());
        let order = change.payment.paid_order();
        let order = order.filter(|paid| known != Some(*paid)).map(order_of);
        let mut committed = Committed::default();
        if let Some(order) = order {
            let mut paid = self.paid.lock().unwrap();
            committed.is_first_to_pay = !paid.iter().any(|(known, _)| *known == order);
            paid.insert((order, key.clone()));
        }
        let published = row.map_or(0, |row| row.published);
        let stored = Stored {
            payment: change.payment.clone(),
            version: over.unwrap_or(0) + 1,
            published,
            is_first_to_pay: false,
        };
        rows.insert(key.clone(), stored);
        let mut plans = self.plans.lock().unwrap();
        match next {
            Some(next) => plans.insert(key.clone(), next),
            None => plans.remove(&key),
        };
        let mut events = self.events.lock().unwrap();
        for event in &change.events {
            assert!(
                events
                    .insert((key.clone(), event.sequence), event.clone())
                    .is_none()
            );
        }
        if !change.events.is_empty() {
            let mut unpublished = self.outbox.lock().unwrap();
            unpublished
                .entry(key.clone())
                .or_insert(change.payment.updated_at());
        }
        if let Some(token) = commit.token_hash {
            self.tokens.lock().unwrap().insert(token.to_owned(), key);
        }
        Ok(committed)
    }

    async fn events(&self, key: &PaymentKey, from: u64, to: u64) -> Result<Vec<Event>, StoreError> {
        let events = self.events.lock().unwrap();
        Ok((from..=to)
            .filter_map(|number| events.get(&(key.clone(), number)).cloned())
            .collect())
    }

    async fn mark_published(&self, key: &PaymentKey, through: u64) -> Result<u64, StoreError> {
        tokio::task::yield_now().await;
        let mut rows = self.rows.lock().unwrap();
        let row = rows.get_mut(key).unwrap();
        let before = row.published;
        row.published = before.max(through);
        if row.payment.sequence() == through {
            self.outbox.lock().unwrap().remove(key);
        }
        Ok(before)
    }

    async fn due(
        &self,
        index: Index,
        shard: u8,
        due_by: Timestamp,
        after: Option<&Due>,
    ) -> Result<Vec<Due>, StoreError> {
        let (unpublished, plans) = (self.outbox.lock().unwrap(), self.plans.lock().unwrap());
        let since = |key: &PaymentKey| match (index, plans.get(key)) {
            (Index::Outbox, _) => unpublished.get(key).copied(),
            (Index::Poll(project_id), Some(Next::Poll(at))) if project_id == key.project_id() => {
                Some(*at)
            }
            (Index::Expire, Some(Next::Expire(at))) => Some(*at),
            (Index::Erase, Some(Next::Erase(at))) => Some(*at),
            (Index::Overdue, Some(Next::Overdue(since))) => Some(*since),
            _ => None,
        };
        let mut found: Vec<(Timestamp, &PaymentKey)> = unpublished
            .keys()
            .chain(plans.keys().filter(|key| !unpublished.contains_key(key)))
            .filter(|key| shard_of(key) == usize::from(shard))
            .filter_map(|key| Some((since(key)?, key)))
            .filter(|(since, _)| *since <= due_by)
            .filter(|one| after.is_none_or(|last| *one > (last.since, &last.key)))
            .collect();
        found.sort_unstable();
        let page = found.into_iter().take(PAGE);
        Ok(page
            .map(|(since, key)| Due {
                key: key.clone(),
                since,
            })
            .collect())
    }

    async fn payments_of_day(
        &self,
        project_id: ProjectId,
        day: Day,
        shard: u8,
        after: Option<&PaymentKey>,
    ) -> Result<Vec<PaymentKey>, StoreError> {
        let days = self.days.lock().unwrap();
        let of_day = days.iter().filter(|(of, _)| *of == day);
        let keys = of_day.map(|(_, key)| key);
        let page = keys
            .filter(|key| key.project_id() == project_id)
            .filter(|key| shard_of(key) == usize::from(shard))
            .filter(|key| after.is_none_or(|last| *key > last));
        Ok(page.take(PAGE).cloned().collect())
    }

    async fn payments_of_order(&self, order: PaidOrder<'_>) -> Result<Vec<PaymentKey>, StoreError> {
        self.looks.fetch_add(1, SeqCst);
        let paid = self.paid.lock().unwrap();
        let of_order = paid.iter().filter(|(known, _)| *known == order_of(order));
        Ok(of_order.map(|(_, key)| key.clone()).collect())
    }

    async fn payment_of_token(&self, token: &str) -> Result<Option<PaymentKey>, StoreError> {
        Ok(self.tokens.lock().unwrap().get(token).cloned())
    }
}

impl ProgressStore for Memory {
    async fn progress(
        &self,
        project_id: ProjectId,
        daily: Daily,
    ) -> Result<Option<Timestamp>, StoreError> {
        let progress = self.progress.lock().unwrap();
        Ok(progress.get(&(project_id, daily)).copied())
    }

    async fn advance(
        &self,
        project_id: ProjectId,
        daily: Daily,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let mut progress = self.progress.lock().unwrap();
        let known = progress.entry((project_id, daily)).or_insert(until);
        *known = until.max(*known);
        Ok(())
    }
}
