//! The payments in memory, with the promises of the real store: a change is written whole or not
//! at all, and only over the version that was read.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use payments::decide::Change;
use payments::event::Event;
use payments::ports::{CommitError, PaymentStore, StoreError, Stored, Unsent};
use payments::{PaymentKey, Timestamp};

#[derive(Default)]
pub struct Memory {
    pub rows: Mutex<BTreeMap<PaymentKey, Stored>>,
    pub events: Mutex<BTreeMap<(PaymentKey, u64), Event>>,
    pub tokens: Mutex<BTreeMap<String, PaymentKey>>,
    /// So many commits meet another writer whose row cannot be seen yet.
    pub invisible_conflicts: AtomicUsize,
}

impl PaymentStore for Memory {
    async fn load(&self, key: &PaymentKey) -> Result<Option<Stored>, StoreError> {
        tokio::task::yield_now().await;
        Ok(self.rows.lock().unwrap().get(key).cloned())
    }

    async fn commit(
        &self,
        change: &Change,
        over: Option<u64>,
        token: Option<&str>,
    ) -> Result<(), CommitError> {
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
        let published = row.map_or(0, |row| row.published);
        let stored = Stored {
            payment: change.payment.clone(),
            version: over.unwrap_or(0) + 1,
            published,
        };
        rows.insert(key.clone(), stored);
        let mut events = self.events.lock().unwrap();
        for event in &change.events {
            assert!(
                events
                    .insert((key.clone(), event.sequence), event.clone())
                    .is_none()
            );
        }
        if let Some(token) = token {
            self.tokens.lock().unwrap().insert(token.to_owned(), key);
        }
        Ok(())
    }

    async fn events(&self, key: &PaymentKey, from: u64, to: u64) -> Result<Vec<Event>, StoreError> {
        let events = self.events.lock().unwrap();
        Ok((from..=to)
            .filter_map(|number| events.get(&(key.clone(), number)).cloned())
            .collect())
    }

    async fn mark_published(&self, key: &PaymentKey, through: u64) -> Result<(), StoreError> {
        let mut rows = self.rows.lock().unwrap();
        let row = rows.get_mut(key).unwrap();
        row.published = row.published.max(through);
        Ok(())
    }

    async fn unsent(
        &self,
        shard: u8,
        _: Timestamp,
        after: Option<&Unsent>,
    ) -> Result<Vec<Unsent>, StoreError> {
        if shard != 0 || after.is_some() {
            return Ok(Vec::new());
        }
        let rows = self.rows.lock().unwrap();
        let unsent = rows
            .iter()
            .filter(|(_, row)| row.published < row.payment.sequence);
        Ok(unsent
            .map(|(key, row)| Unsent {
                key: key.clone(),
                since: row.payment.updated_at,
            })
            .collect())
    }

    async fn payment_of_token(&self, token: &str) -> Result<Option<PaymentKey>, StoreError> {
        Ok(self.tokens.lock().unwrap().get(token).cloned())
    }
}
