//! Implements an in-memory store with the guarantees of the real store. A change is written as a whole or not at all. A
//! change is written only if the stored version is still the version that was read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use ecommpay::fields::ProjectId;
use payments::events::Event;
use payments::model::PaidOrder;
use payments::model::day::Day;
use payments::model::document::{self, Residue};
use payments::model::schedule::Next;
use payments::ports::{
    Commit, CommitError, Committed, Daily, Due, Index, PaymentStore, ProgressStore, Run, RunStore,
    SHARDS, StoreError, Stored, TokenCheckout,
};
use payments::{PaymentKey, Timestamp};

use super::behaviour::Behaviour;

/// The maximum number of entries in a page of an index.
const PAGE: usize = 2;

#[derive(Debug, Default)]
pub struct Tables {
    pub payments: BTreeMap<PaymentKey, Stored>,
    pub events: BTreeMap<(PaymentKey, u64), Event>,
    /// The stored documents, in tests with two releases. In these tests, `payments` has what the newer release reads.
    pub documents: BTreeMap<PaymentKey, String>,
    tokens: BTreeMap<String, TokenCheckout>,
    /// The payments with unpublished events. The time of a payment is the time since which it has such events.
    outbox: BTreeMap<PaymentKey, Timestamp>,
    /// The number of the event after which each payment leaves the outbox.
    outbox_ends: BTreeMap<PaymentKey, u64>,
    pub next: BTreeMap<PaymentKey, Next>,
    days: BTreeSet<(Day, PaymentKey)>,
    /// The payments that paid each order.
    paid_orders: BTreeSet<(String, PaymentKey)>,
    pub progress: BTreeMap<(ProjectId, Daily), Timestamp>,
    /// The contents that the parts of runs have stored, by run id, shard and key.
    pub runs: BTreeMap<(String, Option<u8>, String), String>,
    pub loads: usize,
    /// The number of queries for the payments of an order.
    pub order_queries: usize,
    /// The maximum number of events that one read returned.
    pub most_events_read: usize,
    /// The maximum number of unpublished events that a payment had.
    pub most_unpublished: u64,
}

#[derive(Debug, Default)]
pub struct MemoryStore<B> {
    pub behaviour: B,
    tables: Mutex<Tables>,
}

impl<B> MemoryStore<B> {
    pub fn new(behaviour: B) -> Self {
        Self {
            behaviour,
            tables: Mutex::default(),
        }
    }

    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap()
    }
}

fn shard_of(key: &PaymentKey) -> usize {
    key.to_string().len() % usize::from(SHARDS)
}

/// Returns the identity of an order. Order ids are compared without case.
pub fn order_key(order: PaidOrder<'_>) -> String {
    let order_id = order.order_id.as_str().to_ascii_lowercase();
    format!("{} {order_id} {}", order.project_id, order.storefront)
}

impl Tables {
    fn commit(
        &mut self,
        commit: Commit<'_>,
        behaviour: &impl Behaviour,
    ) -> Result<Committed, CommitError> {
        let Commit { change, next, .. } = commit;
        let over = commit.over.map(|stored| stored.version);
        let key = change.payment.key();
        let row = self.payments.get(&key);
        if row.map(|row| row.version) != over {
            return Err(CommitError::Conflict);
        }
        let published = row.map_or(0, |row| row.published);
        let days = change.payment.days();
        self.days
            .extend(days.into_iter().map(|day| (day, key.clone())));
        let known = commit.over.and_then(|stored| stored.payment.paid_order());
        let order = change.payment.paid_order();
        let order = order.filter(|paid| known != Some(*paid)).map(order_key);
        let mut committed = Committed::default();
        if let Some(order) = order {
            let mut paid = self.paid_orders.iter();
            committed.is_first_to_pay = !paid.any(|(known, _)| *known == order);
            self.paid_orders.insert((order, key.clone()));
        }
        let unpublished = change.payment.sequence() - published;
        self.most_unpublished = self.most_unpublished.max(unpublished);
        let before = self.documents.get(&key).map(String::as_str);
        let document = behaviour.to_stored(&commit.document(), before);
        let payment = match &document {
            Some(document) => document::read(&behaviour.to_known(document)).unwrap().0,
            None => change.payment.clone(),
        };
        self.documents
            .extend(document.map(|document| (key.clone(), document)));
        let stored = Stored {
            payment,
            residue: Residue::default(),
            version: over.unwrap_or(0) + 1,
            published,
            is_first_to_pay: false,
        };
        self.payments.insert(key.clone(), stored);
        match next {
            Some(next) => self.next.insert(key.clone(), next),
            None => self.next.remove(&key),
        };
        for event in &change.events {
            let known = self
                .events
                .insert((key.clone(), event.sequence), event.clone());
            assert_eq!(known, None, "an event is written twice");
        }
        self.outbox_ends.insert(key.clone(), commit.outbox_end());
        if commit.is_in_outbox() {
            let since = change.payment.updated_at();
            self.outbox.entry(key.clone()).or_insert(since);
        }
        if let Some(token) = commit.token_hash {
            let payment = &change.payment;
            let order = payment.order().unwrap();
            let checkout = TokenCheckout {
                key,
                attempt: payment.attempt().number(),
                return_url: order.return_url.as_str().to_owned(),
            };
            self.tokens.insert(token.to_owned(), checkout);
        }
        Ok(committed)
    }

    /// Returns the time from which a payment is due in an index.
    fn since(&self, index: Index, key: &PaymentKey) -> Option<Timestamp> {
        match (index, self.next.get(key)) {
            (Index::Outbox, _) => self.outbox.get(key).copied(),
            (Index::Poll(project_id), Some(Next::Poll(at))) => {
                (project_id == key.project_id()).then_some(*at)
            }
            (Index::Expire, Some(Next::Expire(at)))
            | (Index::Erase, Some(Next::Erase(at)))
            | (Index::Overdue, Some(Next::Overdue(at))) => Some(*at),
            _ => None,
        }
    }
}

impl<B: Behaviour> MemoryStore<B> {
    fn check_readable(&self, item: &str) -> Result<(), StoreError> {
        match self.behaviour.is_unreadable(item) {
            true => Err(StoreError::Unreadable {
                item: item.to_owned(),
                why: "damaged".into(),
            }),
            false => Ok(()),
        }
    }
}

impl<B: Behaviour> PaymentStore for MemoryStore<B> {
    async fn load(&self, key: &PaymentKey) -> Result<Option<Stored>, StoreError> {
        self.behaviour.before_store().await?;
        self.check_readable(&key.to_string())?;
        tokio::task::yield_now().await;
        let stored = {
            let mut tables = self.tables();
            tables.loads += 1;
            let stored = tables.payments.get(key).cloned();
            let document = tables.documents.get(key);
            match (stored, document) {
                (Some(stored), Some(document)) => {
                    let document = self.behaviour.to_read(document);
                    let (payment, residue) = document::read(&document).unwrap();
                    Some(Stored {
                        payment,
                        residue,
                        ..stored
                    })
                }
                (stored, _) => stored,
            }
        };
        self.behaviour.after_load().await;
        let computed = |payment: payments::model::Payment| Stored {
            version: 1,
            published: payment.sequence(),
            residue: Residue::default(),
            is_first_to_pay: false,
            payment,
        };
        Ok(stored.or_else(|| self.behaviour.payment(key).map(computed)))
    }

    async fn commit(&self, commit: Commit<'_>) -> Result<Committed, CommitError> {
        self.behaviour.before_store().await?;
        if self.behaviour.has_conflict() {
            return Err(CommitError::Conflict);
        }
        tokio::task::yield_now().await;
        let committed = {
            let mut tables = self.tables();
            let key = commit.change.payment.key();
            if let Some(over) = commit.over
                && self.behaviour.payment(&key).is_some()
            {
                // The first write of a computed payment stores the payment.
                tables.payments.entry(key).or_insert_with(|| over.clone());
            }
            tables.commit(commit, &self.behaviour)?
        };
        self.behaviour.after_write().await?;
        Ok(committed)
    }

    async fn events(&self, key: &PaymentKey, from: u64, to: u64) -> Result<Vec<Event>, StoreError> {
        self.behaviour.before_store().await?;
        for number in from..=to {
            self.check_readable(&format!("{key}/{number}"))?;
        }
        let mut tables = self.tables();
        let event = |number| tables.events.get(&(key.clone(), number)).cloned();
        let events: Vec<Event> = (from..=to).filter_map(event).collect();
        tables.most_events_read = tables.most_events_read.max(events.len());
        Ok(events)
    }

    async fn mark_published(&self, key: &PaymentKey, through: u64) -> Result<u64, StoreError> {
        self.behaviour.before_store().await?;
        tokio::task::yield_now().await;
        let before = {
            let mut tables = self.tables();
            let row = tables.payments.get_mut(key).unwrap();
            let before = row.published;
            row.published = before.max(through);
            if tables.outbox_ends.get(key) == Some(&through) {
                tables.outbox.remove(key);
            }
            before
        };
        self.behaviour.after_write().await?;
        Ok(before)
    }

    async fn due(
        &self,
        index: Index,
        shard: u8,
        due_by: Timestamp,
        after: Option<&Due>,
    ) -> Result<Vec<Due>, StoreError> {
        self.behaviour.before_store().await?;
        let tables = self.tables();
        let keys = tables.payments.keys();
        let mut found: Vec<(Timestamp, &PaymentKey)> = keys
            .filter(|key| shard_of(key) == usize::from(shard))
            .filter_map(|key| Some((tables.since(index, key)?, key)))
            .filter(|(since, _)| *since <= due_by)
            .filter(|due| after.is_none_or(|last| *due > (last.since, &last.key)))
            .collect();
        found.sort_unstable();
        let due = |(since, key): (Timestamp, &PaymentKey)| Due {
            key: key.clone(),
            since,
        };
        Ok(found.into_iter().take(PAGE).map(due).collect())
    }

    async fn payments_of_day(
        &self,
        project_id: ProjectId,
        day: Day,
        shard: u8,
        after: Option<&PaymentKey>,
    ) -> Result<Vec<PaymentKey>, StoreError> {
        self.behaviour.before_store().await?;
        if let Some(page) = self.behaviour.page_of_day(shard, after) {
            return Ok(page);
        }
        let tables = self.tables();
        let of_day = tables.days.iter().filter(|(of, _)| *of == day);
        let page = of_day
            .map(|(_, key)| key)
            .filter(|key| key.project_id() == project_id)
            .filter(|key| shard_of(key) == usize::from(shard))
            .filter(|key| after.is_none_or(|last| *key > last));
        Ok(page.take(PAGE).cloned().collect())
    }

    fn shard(&self, key: &PaymentKey) -> u8 {
        let shard = || u8::try_from(shard_of(key)).unwrap();
        self.behaviour.shard(key).unwrap_or_else(shard)
    }

    async fn payments_of_order(&self, order: PaidOrder<'_>) -> Result<Vec<PaymentKey>, StoreError> {
        self.behaviour.before_store().await?;
        let mut tables = self.tables();
        tables.order_queries += 1;
        let order = order_key(order);
        let of_order = tables
            .paid_orders
            .iter()
            .filter(|(known, _)| *known == order);
        Ok(of_order.map(|(_, key)| key.clone()).collect())
    }

    async fn checkout_of_token(&self, token: &str) -> Result<Option<TokenCheckout>, StoreError> {
        Ok(self.tables().tokens.get(token).cloned())
    }
}

impl<B: Behaviour> ProgressStore for MemoryStore<B> {
    async fn progress(
        &self,
        project_id: ProjectId,
        daily: Daily,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.behaviour.before_store().await?;
        self.check_readable("progress")?;
        Ok(self.tables().progress.get(&(project_id, daily)).copied())
    }

    async fn advance(
        &self,
        project_id: ProjectId,
        daily: Daily,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.behaviour.before_store().await?;
        {
            let mut tables = self.tables();
            let known = tables.progress.entry((project_id, daily)).or_insert(until);
            *known = until.max(*known);
        }
        self.behaviour.after_write().await
    }
}

impl<B: Behaviour> RunStore for MemoryStore<B> {
    async fn put(
        &self,
        run: &Run,
        shard: Option<u8>,
        key: &str,
        content: String,
    ) -> Result<String, StoreError> {
        self.behaviour.before_store().await?;
        let key = (run.id.clone(), shard, key.to_owned());
        let stored = self.tables().runs.entry(key).or_insert(content).clone();
        self.behaviour.after_write().await?;
        Ok(stored)
    }

    async fn contents(
        &self,
        run: &Run,
        shard: Option<u8>,
    ) -> Result<Vec<(String, String)>, StoreError> {
        self.behaviour.before_store().await?;
        let tables = self.tables();
        let of_run = tables
            .runs
            .iter()
            .filter(|((id, of, _), _)| (id, *of) == (&run.id, shard));
        let contents = of_run.map(|((_, _, key), content)| (key.clone(), content.clone()));
        Ok(contents.collect())
    }
}
