//! Lists the partition keys of a payment. From these keys, the capacity calculation computes how evenly payments are
//! spread over the partitions.

use payments::model::day::Day;
use payments::model::ids::PaymentKey;
use payments::ports::Index;

use super::days;
use super::due::{partition_of, shard_number};
use super::payment_item::payment_pk;

/// The partition keys of a payment in the table and in its indexes, except [`Index::Expire`] and [`Index::Overdue`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionKeys {
    /// The key of the payment, its events and its days in the table.
    pub payment: String,
    /// The key in [`Index::Outbox`].
    pub outbox: String,
    /// The key in [`Index::Poll`] of the payment's project.
    pub poll: String,
    /// The key in [`Index::Erase`].
    pub erase: String,
    /// The key in the index of days, for one day of the payment.
    pub day: String,
}

impl PartitionKeys {
    /// Returns the partition keys of a payment; `day` is one of its days.
    pub fn of(key: &PaymentKey, day: Day) -> Self {
        let project_id = key.project_id();
        Self {
            payment: payment_pk(key),
            outbox: partition_of(Index::Outbox, key),
            poll: partition_of(Index::Poll(project_id), key),
            erase: partition_of(Index::Erase, key),
            day: days::partition(project_id, day, shard_number(key)),
        }
    }
}
