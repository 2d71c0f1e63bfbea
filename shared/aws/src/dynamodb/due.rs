//! Implements two indexes: `outbox` lists the payments with unpublished events, and `next` lists the payments with a
//! next action, for example a status poll.
//!
//! | index | partition | sort | lists |
//! | --- | --- | --- | --- |
//! | `outbox` | `outbox`: shard | `outbox_since` | payments with unpublished events |
//! | `next` | `next`: kind of action, shard | `next_at` | payments with a next action, which is due at `next_at` |
//!
//! Both indexes are sparse: a payment that needs nothing has no entry. A commit of a payment writes its entries, and
//! removes the entry in `next` if no action is left. `published.rs` removes the entry in `outbox`. Each kind of action
//! has separate partitions, and polls have separate partitions for each project
//! (`shared/decisions/state/0009-polling-index.md`).

use ecommpay::fields::ProjectId;
use payments::model::ids::PaymentKey;
use payments::model::schedule::Next;
use payments::model::timestamp::Timestamp;
use payments::ports::{Due, Index, SHARDS, StoreError};
use sha2::{Digest, Sha256};

use super::attributes::{Item, item_error, millis, read_millis, read_text, text};
use super::payment_item::{PAYMENT_SK, payment_pk, read_payment_key};
use super::unreadable::readable;
use super::{DynamoStore, PAGE, failed};

#[derive(Debug, Clone, Copy)]
pub(super) struct IndexName {
    /// The name of the index, and of its partition key.
    pub(super) name: &'static str,
    /// The sort key.
    pub(super) since: &'static str,
}

pub(super) const OUTBOX: IndexName = IndexName {
    name: "outbox",
    since: "outbox_since",
};
pub(super) const NEXT: IndexName = IndexName {
    name: "next",
    since: "next_at",
};

fn index_name(index: Index) -> IndexName {
    match index {
        Index::Outbox => OUTBOX,
        Index::Poll(_) | Index::Expire | Index::Erase | Index::Overdue => NEXT,
    }
}

fn partition(index: Index, shard: u8) -> String {
    match index {
        Index::Outbox => format!("outbox#{shard:02}"),
        Index::Poll(project_id) => format!("poll#{}#{shard:02}", project_id.get()),
        Index::Expire => format!("expire#{shard:02}"),
        Index::Erase => format!("erase#{shard:02}"),
        Index::Overdue => format!("overdue#{shard:02}"),
    }
}

pub(super) fn partition_of(index: Index, key: &PaymentKey) -> String {
    partition(index, shard_number(key))
}

pub(super) fn index_of(next: Next, project_id: ProjectId) -> (Index, Timestamp) {
    match next {
        Next::Poll(at) => (Index::Poll(project_id), at),
        Next::Expire(at) => (Index::Expire, at),
        Next::Erase(at) => (Index::Erase, at),
        Next::Overdue(since) => (Index::Overdue, since),
    }
}

/// Returns the shard of a payment, which is the same in every index.
pub(super) fn shard_number(key: &PaymentKey) -> u8 {
    let hash = Sha256::digest(payment_pk(key));
    hash.first().copied().unwrap_or_default() % SHARDS
}

impl DynamoStore {
    pub(super) async fn read_due(
        &self,
        index: Index,
        shard: u8,
        due_by: Timestamp,
        after: Option<&Due>,
    ) -> Result<Vec<Due>, StoreError> {
        let IndexName { name, since } = index_name(index);
        let partition = partition(index, shard);
        let mut start_key = after.map(|last| {
            Item::from([
                ("pk".to_owned(), text(payment_pk(&last.key))),
                ("sk".to_owned(), text(PAYMENT_SK)),
                (name.to_owned(), text(&partition)),
                (since.to_owned(), millis(last.since)),
            ])
        });
        let entry = |item: &Item| {
            Ok(Due {
                key: read_payment_key(item)?,
                since: read_millis(item, since)?,
            })
        };
        // An empty page ends the loop of the caller. Therefore this loop skips a page on which no entry can be read.
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(name)
                .key_condition_expression("#shard = :shard AND #since <= :due_by")
                .expression_attribute_names("#shard", name)
                .expression_attribute_names("#since", since)
                .expression_attribute_values(":shard", text(&partition))
                .expression_attribute_values(":due_by", millis(due_by))
                .set_exclusive_start_key(start_key)
                .limit(PAGE)
                .send()
                .await
                .map_err(failed)?;
            let entries = readable(page.items(), entry);
            start_key = page.last_evaluated_key;
            if !entries.is_empty() || start_key.is_none() {
                return Ok(entries);
            }
        }
    }

    /// Returns the next action of a payment.
    pub async fn next_action(&self, key: &PaymentKey) -> Result<Option<Next>, StoreError> {
        let item = self.get(payment_pk(key), PAYMENT_SK).await?;
        let Some(item) = item.filter(|item| item.contains_key(NEXT.name)) else {
            return Ok(None);
        };
        let at = read_millis(&item, NEXT.since)?;
        match read_text(&item, NEXT.name)?.split('#').next() {
            Some("poll") => Ok(Some(Next::Poll(at))),
            Some("expire") => Ok(Some(Next::Expire(at))),
            Some("erase") => Ok(Some(Next::Erase(at))),
            Some("overdue") => Ok(Some(Next::Overdue(at))),
            _ => Err(item_error("unknown kind of action")),
        }
    }
}
