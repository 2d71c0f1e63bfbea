//! Where the table keeps a payment: for whoever looks at how evenly payments spread.

use super::days;
use super::due::shard_number;
use super::item::payment_pk;
use crate::day::Day;
use crate::ids::PaymentKey;
use crate::ports::Index;

/// The partition keys of the table and its indexes under which a payment is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// That of the payment itself, its events and its days.
    pub payment: String,
    /// That of [`Index::Unsent`].
    pub unsent: String,
    /// That of [`Index::Poll`] of its project.
    pub poll: String,
    /// That of [`Index::Erase`].
    pub erase: String,
    /// That of the index of days, on one of its days.
    pub day: String,
}

impl Places {
    /// The places of a payment.
    pub fn of(key: &PaymentKey, day: Day) -> Self {
        let project_id = key.project_id();
        Self {
            payment: payment_pk(key),
            unsent: Index::Unsent.shard_of(key),
            poll: Index::Poll(project_id).shard_of(key),
            erase: Index::Erase.shard_of(key),
            day: days::partition(project_id, day, shard_number(key)),
        }
    }
}
