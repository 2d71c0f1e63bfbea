//! The index of the days on which something became of a payment.
//!
//! | `pk` | `sk` | attributes |
//! | --- | --- | --- |
//! | `payment#<project>/<id>` | `day#YYYY-MM-DD` | `day`: `<project>#YYYY-MM-DD#<shard>` |
//!
//! Each day has an item of its own beside the payment, written with the change that brought the
//! day, and never taken away. The index `day` has nothing but keys, and of these the payment's own
//! tells its key.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::Put;
use ecommpay::fields::ProjectId;

use super::due::shard_number;
use super::payment_item::{Item, broken, payment_pk, text};
use payments::model::Payment;
use payments::model::day::Day;
use payments::model::ids::PaymentKey;
use payments::ports::StoreError;

/// The index, and the attribute that it is made of.
pub(super) const INDEX: &str = "day";

/// The most days that one change can add: a transaction takes 100 items, and the payment, its
/// events and a token are among them. Of more than that, the newest are found.
const MOST: usize = 80;

/// The days that a change brings, newest first.
pub(super) fn added(before: Option<&Payment>, after: &Payment) -> Vec<Day> {
    let known = before.map_or_else(BTreeSet::new, Payment::days);
    let days = after.days().into_iter().rev();
    days.filter(|day| !known.contains(day)).take(MOST).collect()
}

/// The value of a project's day and shard.
pub(super) fn partition(project_id: ProjectId, day: Day, shard: u8) -> String {
    format!("{project_id}#{day}#{shard:02}")
}

/// The attributes of a payment's day.
pub(super) fn row(key: &PaymentKey, day: Day) -> Item {
    let partition = partition(key.project_id(), day, shard_number(key));
    Item::from([
        ("pk".to_owned(), text(payment_pk(key))),
        ("sk".to_owned(), text(sk(day))),
        (INDEX.to_owned(), text(partition)),
    ])
}

/// Without a condition: whoever writes it again writes the same.
pub(super) fn put(table: &str, key: &PaymentKey, day: Day) -> Result<Put, StoreError> {
    let put = Put::builder().table_name(table);
    put.set_item(Some(row(key, day))).build().map_err(broken)
}

fn sk(day: Day) -> String {
    format!("day#{day}")
}
