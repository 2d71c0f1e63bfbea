//! Measures how evenly the product's own partition keys and message groups distribute simulated payments.

use std::collections::{BTreeMap, BTreeSet};

use aws::dynamodb::PartitionKeys;
use ecommpay::fields::ProjectId;
use payments::events::{Event, EventKind};
use payments::model::day::Day;
use payments::ports::SHARDS;
use payments::{PaymentKey, Timestamp};
use sha2::{Digest, Sha256};

use crate::load::largest_share;

/// How evenly payments are distributed over the buckets of one kind. A bucket is a shard of an index, or a partition of
/// a table or queue.
#[derive(Debug, Clone)]
pub struct Spread {
    /// The kind of bucket.
    pub what: String,
    /// The number of buckets.
    pub buckets: usize,
    /// The number of buckets with a payment.
    pub used: usize,
    /// The payments of the fullest bucket in its fullest second, divided by the mean per bucket and second.
    pub in_a_second: f64,
    /// The maximum of `in_a_second` that `load.rs` assumes ([`largest_share`]).
    pub assumed: f64,
    /// The payments of the fullest bucket in the whole simulation, divided by the mean per bucket.
    pub overall: f64,
    /// The maximum of `overall` that follows from [`largest_share`].
    pub assumed_overall: f64,
}

impl Spread {
    /// Whether each bucket has a payment, and neither maximum is exceeded.
    pub fn is_even(&self) -> bool {
        self.used == self.buckets
            && self.in_a_second <= self.assumed
            && self.overall <= self.assumed_overall
    }
}

/// The result of a simulation.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// The distributions.
    pub spreads: Vec<Spread>,
    /// The number of message groups.
    pub groups: usize,
}

/// Simulates `payments` payments at `rate` per second.
///
/// SHA-256 replaces the hash functions of DynamoDB and SQS, which are not published. Every good hash function
/// distributes keys evenly.
pub fn simulate(
    payments: u64,
    rate: u64,
    table_partitions: u64,
    queue_partitions: u64,
) -> anyhow::Result<Simulation> {
    let project_id = ProjectId::new(211)?;
    let day = Day::of(Timestamp::from_millis(1_767_225_600_000));
    let mut counts = BTreeMap::<&str, Count>::new();
    let mut groups = BTreeSet::new();
    for number in 0..payments {
        let key = PaymentKey::new(project_id, &payment_id(number));
        let keys = PartitionKeys::of(&key, day);
        let group = group(&key);
        let table = partition(&keys.payment, table_partitions);
        let queue = partition(&group, queue_partitions);
        let shards = u64::from(SHARDS);
        for (what, buckets, bucket) in [
            ("shards of `outbox`", shards, keys.outbox),
            ("shards of `next/poll`", shards, keys.poll),
            ("shards of `next/erase`", shards, keys.erase),
            ("shards of `day`", shards, keys.day),
            ("partitions of the table", table_partitions, table),
            ("partitions of a queue", queue_partitions, queue),
        ] {
            let count = counts.entry(what).or_insert_with(|| Count::new(buckets));
            count.add(bucket);
        }
        groups.insert(group);
        if (number + 1) % rate == 0 {
            counts.values_mut().for_each(Count::end_second);
        }
    }
    let spreads = counts.iter().map(|(what, count)| count.spread(what, rate));
    Ok(Simulation {
        spreads: spreads.collect(),
        groups: groups.len(),
    })
}

/// Returns an id of one of four kinds that storefronts use: with a counter, with a date, with capital letters, or
/// random.
fn payment_id(number: u64) -> String {
    match number % 4 {
        0 => format!("order-{}-1", 100_000 + number),
        1 => format!("2026-01-01.{number:07}"),
        2 => format!("SHOP_{number}"),
        _ => payments::sha256::start_of_hex(&number.to_be_bytes(), 32),
    }
}

fn group(key: &PaymentKey) -> String {
    let event = Event {
        key: key.clone(),
        sequence: 1,
        kind: EventKind::PaymentCreated,
        id: String::new(),
        body: String::new(),
        stored: String::new(),
    };
    event.message_group_id()
}

/// Returns the partition of a key. Each partition has an equal range of hashes.
fn partition(key: &str, partitions: u64) -> String {
    let hash = Sha256::digest(key.as_bytes());
    let start: [u8; 8] = hash.first_chunk().copied().unwrap_or_default();
    let scaled = u128::from(u64::from_be_bytes(start)) * u128::from(partitions);
    (scaled >> 64).to_string()
}

#[derive(Debug)]
struct Count {
    buckets: u64,
    second: BTreeMap<String, u64>,
    all: BTreeMap<String, u64>,
    most_in_a_second: u64,
}

impl Count {
    fn new(buckets: u64) -> Self {
        Self {
            buckets,
            second: BTreeMap::new(),
            all: BTreeMap::new(),
            most_in_a_second: 0,
        }
    }

    fn add(&mut self, bucket: String) {
        *self.second.entry(bucket).or_default() += 1;
    }

    fn end_second(&mut self) {
        for (bucket, count) in std::mem::take(&mut self.second) {
            self.most_in_a_second = self.most_in_a_second.max(count);
            *self.all.entry(bucket).or_default() += count;
        }
    }

    fn spread(&self, what: &str, rate: u64) -> Spread {
        let buckets = self.buckets as f64;
        let (most, all) = (self.all.values().max(), self.all.values().sum::<u64>());
        let most = most.copied().unwrap_or(0) as f64;
        Spread {
            what: what.to_owned(),
            buckets: usize::try_from(self.buckets).unwrap_or(usize::MAX),
            used: self.all.len(),
            in_a_second: self.most_in_a_second as f64 * buckets / rate as f64,
            assumed: largest_share(rate as f64, buckets),
            overall: most * buckets / all as f64,
            assumed_overall: largest_share(all as f64, buckets),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(bucket_of: impl Fn(u64) -> u64) -> Spread {
        let mut count = Count::new(8);
        for number in 0..10_000 {
            count.add(bucket_of(number).to_string());
            if (number + 1) % 100 == 0 {
                count.end_second();
            }
        }
        count.spread("shards", 100)
    }

    #[test]
    fn an_even_distribution_is_accepted() {
        assert!(spread(|number| number % 8).is_even());
    }

    #[test]
    fn an_uneven_distribution_is_refused() {
        let never_used = spread(|number| number % 7);
        let too_full = spread(|number| if number % 40 == 1 { 0 } else { number % 8 });
        let rush = spread(|number| if number < 100 { 0 } else { number % 8 });
        for uneven in [never_used, too_full, rush] {
            assert!(!uneven.is_even(), "{uneven:?}");
        }
    }
}
