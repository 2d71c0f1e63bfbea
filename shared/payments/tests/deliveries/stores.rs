//! Implements the stores of endpoints and deliveries in memory, with the guarantees of the real stores.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use payments::model::webhook::{
    Backlog, DisabledBy, Endpoint, EndpointId, EndpointKey, EndpointOwner, EndpointState, Health,
};
use payments::ports::{
    Clock, DeadLetter, DeliveryStore, EndpointEntry, EndpointStore, Listed, Replaced, StoreError,
    Waiting,
};
use payments::{PaymentKey, Timestamp};

use crate::fakes::clock::TestClock;

/// The maximum time until the index of waiting payments shows a change.
const INDEX_DELAY: Duration = Duration::from_secs(5);
/// The maximum number of dead letters in a page.
const PAGE: usize = 2;

type Backlogs = BTreeMap<(EndpointId, PaymentKey), Backlog>;
type Hook = Box<dyn FnOnce(&mut Tables) + Send>;

#[derive(Default)]
pub struct Tables {
    pub endpoints: BTreeMap<EndpointKey, Endpoint>,
    pub health: BTreeMap<EndpointId, Health>,
    pub backlogs: Backlogs,
    indexed: Option<(Timestamp, Backlogs)>,
    pub listed: BTreeMap<EndpointKey, Timestamp>,
    pub dead_letters: BTreeMap<(EndpointId, PaymentKey, u64), DeadLetter>,
    /// The endpoints whose items cannot be read.
    pub unreadable: BTreeSet<EndpointId>,
    /// The backlog items that cannot be read.
    pub unreadable_backlogs: BTreeSet<(EndpointId, PaymentKey)>,
    /// Runs before the next conditional write of a backlog item.
    pub before_next_replace: Option<Hook>,
    /// The number of writes that still succeed. Then all calls fail, as after a crash.
    pub writes_left: Option<usize>,
    /// The names of the writes, in order.
    pub writes: Vec<&'static str>,
}

pub struct MemoryDeliveries {
    clock: TestClock,
    tables: Mutex<Tables>,
}

impl MemoryDeliveries {
    pub fn new(clock: TestClock) -> Self {
        Self {
            clock,
            tables: Mutex::default(),
        }
    }

    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap()
    }

    async fn read(&self) -> Result<MutexGuard<'_, Tables>, StoreError> {
        self.clock.step().await;
        let tables = self.tables();
        match tables.writes_left {
            Some(0) => Err(StoreError::Failed("the function has crashed".into())),
            _ => Ok(tables),
        }
    }

    /// Makes a write. A crash can happen before the write, or after it but before its answer.
    async fn write<T>(
        &self,
        name: &'static str,
        change: impl FnOnce(&mut Tables) -> T,
    ) -> Result<T, StoreError> {
        self.clock.step().await;
        let result = {
            let mut tables = self.tables();
            tables.writes_left = match tables.writes_left {
                Some(0) => return Err(StoreError::Failed("the function has crashed".into())),
                Some(left) => Some(left - 1),
                None => None,
            };
            tables.writes.push(name);
            change(&mut tables)
        };
        self.clock.step().await;
        Ok(result)
    }

    async fn update_health(
        &self,
        name: &'static str,
        id: &EndpointId,
        change: impl FnOnce(Health) -> Health,
    ) -> Result<(Health, Health), StoreError> {
        let update = |tables: &mut Tables| {
            let before = tables.health.get(id).cloned().unwrap_or_default();
            let after = change(before.clone());
            tables.health.insert(id.clone(), after.clone());
            (before, after)
        };
        self.write(name, update).await
    }
}

fn unreadable(id: &EndpointId) -> StoreError {
    StoreError::Unreadable {
        item: id.to_string(),
        why: "damaged".into(),
    }
}

impl EndpointStore for MemoryDeliveries {
    async fn endpoint(&self, key: &EndpointKey) -> Result<Option<Endpoint>, StoreError> {
        let tables = self.read().await?;
        match tables.unreadable.contains(&key.id) {
            true => Err(unreadable(&key.id)),
            false => Ok(tables.endpoints.get(key).cloned()),
        }
    }

    async fn endpoints_of(&self, owner: &EndpointOwner) -> Result<Vec<EndpointEntry>, StoreError> {
        let tables = self.read().await?;
        let of_owner = tables
            .endpoints
            .iter()
            .filter(|(key, _)| key.owner == *owner);
        let entries = of_owner.map(|(key, endpoint)| EndpointEntry {
            key: key.clone(),
            endpoint: match tables.unreadable.contains(&key.id) {
                true => Err(unreadable(&key.id)),
                false => Ok(endpoint.clone()),
            },
        });
        Ok(entries.collect())
    }
}

impl DeliveryStore for MemoryDeliveries {
    async fn health(&self, id: &EndpointId) -> Result<Health, StoreError> {
        let tables = self.read().await?;
        Ok(tables.health.get(id).cloned().unwrap_or_default())
    }

    async fn count_failure(&self, id: &EndpointId, now: Timestamp) -> Result<Health, StoreError> {
        let updated = self.update_health("count failure", id, |health| health.failed(now));
        Ok(updated.await?.1)
    }

    async fn count_success(&self, id: &EndpointId) -> Result<(), StoreError> {
        let updated = self.update_health("count success", id, Health::delivered);
        updated.await.map(|_| ())
    }

    async fn disable(
        &self,
        id: &EndpointId,
        now: Timestamp,
        by: DisabledBy,
    ) -> Result<bool, StoreError> {
        let updated = self.update_health("disable", id, |health| health.disabled(now, by));
        let (before, _) = updated.await?;
        Ok(!matches!(before.state, EndpointState::Disabled { .. }))
    }

    async fn hold(&self, id: &EndpointId) -> Result<(), StoreError> {
        let updated = self.update_health("hold", id, Health::held);
        updated.await.map(|_| ())
    }

    async fn enable(&self, id: &EndpointId, now: Timestamp) -> Result<(), StoreError> {
        let updated = self.update_health("enable", id, |health| health.enabled(now));
        updated.await.map(|_| ())
    }

    async fn backlog(
        &self,
        id: &EndpointId,
        payment: &PaymentKey,
    ) -> Result<Option<Backlog>, StoreError> {
        let tables = self.read().await?;
        let key = (id.clone(), payment.clone());
        match tables.unreadable_backlogs.contains(&key) {
            true => Err(unreadable(id)),
            false => Ok(tables.backlogs.get(&key).cloned()),
        }
    }

    async fn replace_backlog(
        &self,
        id: &EndpointId,
        payment: &PaymentKey,
        over: Option<&Backlog>,
        new: Option<&Backlog>,
    ) -> Result<Replaced, StoreError> {
        let key = (id.clone(), payment.clone());
        let name = match (over, new) {
            (None, _) => "create",
            (Some(_), None) => "delete",
            (Some(_), Some(_)) => "replace",
        };
        let replace = |tables: &mut Tables| {
            if let Some(hook) = tables.before_next_replace.take() {
                hook(tables);
            }
            let stored = tables.backlogs.get(&key);
            if stored.map(|item| item.version) != over.map(|item| item.version) {
                return Replaced::Conflict(stored.cloned());
            }
            match new {
                Some(new) => tables.backlogs.insert(key, new.clone()),
                None => tables.backlogs.remove(&key),
            };
            Replaced::Done
        };
        self.write(name, replace).await
    }

    async fn waiting(&self, id: &EndpointId, max: usize) -> Result<Vec<Waiting>, StoreError> {
        let is_stale = self.clock.random(3) == 0;
        let now = self.clock.now();
        let mut tables = self.read().await?;
        let known = tables.indexed.take();
        let known = known.filter(|(at, _)| is_stale && now.since(*at) <= INDEX_DELAY);
        let (at, indexed) = known.unwrap_or_else(|| (now, tables.backlogs.clone()));
        let of_endpoint = indexed.iter().filter(|((of, _), _)| of == id);
        let mut waiting: Vec<Waiting> = of_endpoint
            .map(|((_, payment), item)| Waiting {
                payment: payment.clone(),
                since: item.since,
                due: item.due,
            })
            .collect();
        tables.indexed = Some((at, indexed));
        waiting.sort_by_key(|entry| entry.due);
        waiting.truncate(max);
        Ok(waiting)
    }

    async fn list(&self, key: &EndpointKey, now: Timestamp) -> Result<(), StoreError> {
        let list = |tables: &mut Tables| {
            tables.listed.insert(key.clone(), now);
        };
        self.write("list", list).await
    }

    async fn listed(&self) -> Result<Vec<Listed>, StoreError> {
        let tables = self.read().await?;
        let listed = tables.listed.iter().map(|(key, at)| Listed {
            key: key.clone(),
            at: *at,
        });
        Ok(listed.collect())
    }

    async fn unlist(&self, listed: &Listed) -> Result<(), StoreError> {
        let unlist = |tables: &mut Tables| {
            if tables.listed.get(&listed.key) == Some(&listed.at) {
                tables.listed.remove(&listed.key);
            }
        };
        self.write("unlist", unlist).await
    }

    async fn put_dead_letter(
        &self,
        id: &EndpointId,
        letter: &DeadLetter,
    ) -> Result<(), StoreError> {
        let key = (id.clone(), letter.payment.clone(), letter.sequence);
        let put = |tables: &mut Tables| {
            tables.dead_letters.insert(key, letter.clone());
        };
        self.write("dead letter", put).await
    }

    async fn dead_letters(
        &self,
        id: &EndpointId,
        after: Option<&DeadLetter>,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let tables = self.read().await?;
        let after = after.map(|letter| (letter.payment.clone(), letter.sequence));
        let of_endpoint = tables.dead_letters.iter().filter(|((of, ..), _)| of == id);
        let rest = of_endpoint.filter(|((_, payment, sequence), _)| {
            after
                .as_ref()
                .is_none_or(|after| (payment, *sequence) > (&after.0, after.1))
        });
        Ok(rest.take(PAGE).map(|(_, letter)| letter.clone()).collect())
    }

    async fn delete_dead_letter(
        &self,
        id: &EndpointId,
        letter: &DeadLetter,
    ) -> Result<(), StoreError> {
        let key = (id.clone(), letter.payment.clone(), letter.sequence);
        let delete = |tables: &mut Tables| {
            tables.dead_letters.remove(&key);
        };
        self.write("delete dead letter", delete).await
    }
}
