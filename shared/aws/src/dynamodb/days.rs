//! Implements the index `day`, in which reports and reconciliation find the payments of a day. A payment belongs to the
//! day of its creation, and to each day on which one of its operations ended.
//!
//! For the day of creation, the entry in the index is the payment item. For each other day, the entry is a separate
//! item with the same `pk`. The commit that adds a day to a payment writes this item, and nothing deletes the item.
//!
//! The index has no sort key. A sort key has at most 1,024 bytes, and `pk` can be longer. Without a sort key, a query
//! still returns the entries of a partition in a fixed order. Therefore a query can continue after any entry if it has
//! the keys of this entry.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::Update;
use ecommpay::fields::ProjectId;
use payments::model::Payment;
use payments::model::day::Day;
use payments::model::ids::PaymentKey;
use payments::ports::StoreError;

use super::attributes::{Item, item_error, text};
use super::due::shard_number;
use super::payment_item::{PAYMENT_SK, payment_pk, read_payment_key};
use super::unreadable::readable;
use super::{DynamoStore, PAGE, failed};

/// The name of the index, and of its partition key.
pub(super) const INDEX: &str = "day";

/// The maximum number of days that one commit adds. If there are more new days, only the newest are stored. The reason
/// is that a transaction has at most [100
/// items](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html). The payment, its
/// events, a token and an order are also items.
const MAX_NEW: usize = 80;

/// Returns the partition key of a new payment item in the index.
pub(super) fn partition_of_creation(payment: &Payment) -> String {
    let day = Day::of(payment.created_at());
    partition(payment.project_id(), day, shard_number(&payment.key()))
}

/// Returns the days that a change adds to a payment, newest first.
pub(super) fn added(before: Option<&Payment>, after: &Payment) -> Vec<Day> {
    let created = || BTreeSet::from([Day::of(after.created_at())]);
    let known = before.map_or_else(created, Payment::days);
    let days = after.days().into_iter().rev();
    days.filter(|day| !known.contains(day))
        .take(MAX_NEW)
        .collect()
}

pub(super) fn partition(project_id: ProjectId, day: Day, shard: u8) -> String {
    format!("{project_id}#{day}#{shard:02}")
}

fn sk(day: Day) -> String {
    format!("day#{day}")
}

/// Returns the keys of an entry in the index. A day's item has only these attributes.
fn entry(key: &PaymentKey, sk: String, day: Day) -> Item {
    let partition = partition(key.project_id(), day, shard_number(key));
    Item::from([
        ("pk".to_owned(), text(payment_pk(key))),
        ("sk".to_owned(), text(sk)),
        (INDEX.to_owned(), text(partition)),
    ])
}

/// Returns the write of a day's item. The write needs no condition, because every write of the same day of a payment
/// has the same content. The write is an update, so that it keeps attributes that this release does not know.
pub(super) fn update(table: &str, key: &PaymentKey, day: Day) -> Result<Update, StoreError> {
    let partition = partition(key.project_id(), day, shard_number(key));
    Update::builder()
        .table_name(table)
        .key("pk", text(payment_pk(key)))
        .key("sk", text(sk(day)))
        .update_expression("SET #day = :day")
        .expression_attribute_names("#day", INDEX)
        .expression_attribute_values(":day", text(partition))
        .build()
        .map_err(item_error)
}

impl DynamoStore {
    /// Returns the keys of a payment's entry for a day. The entry for the day of creation is the payment item.
    async fn entry_of(&self, key: &PaymentKey, day: Day) -> Result<Item, StoreError> {
        let of_day = self.get(payment_pk(key), &sk(day)).await?;
        let sk = of_day.map_or_else(|| PAYMENT_SK.to_owned(), |_| sk(day));
        Ok(entry(key, sk, day))
    }

    pub(super) async fn read_day(
        &self,
        project_id: ProjectId,
        day: Day,
        shard: u8,
        after: Option<&PaymentKey>,
    ) -> Result<Vec<PaymentKey>, StoreError> {
        let mut start_key = match after {
            Some(last) => Some(self.entry_of(last, day).await?),
            None => None,
        };
        // An empty page ends the loop of the caller. Therefore this loop skips a page on which no entry can be read.
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(INDEX)
                .key_condition_expression("#day = :day")
                .expression_attribute_names("#day", INDEX)
                .expression_attribute_values(":day", text(partition(project_id, day, shard)))
                .set_exclusive_start_key(start_key)
                .limit(PAGE)
                .send()
                .await
                .map_err(failed)?;
            let keys = readable(page.items(), read_payment_key);
            start_key = page.last_evaluated_key;
            if !keys.is_empty() || start_key.is_none() {
                return Ok(keys);
            }
        }
    }
}
