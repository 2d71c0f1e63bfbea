//! How evenly payments spread, by the product's own keys.

use std::collections::{BTreeMap, BTreeSet};

use aws::dynamodb::PartitionKeys;
use ecommpay::fields::ProjectId;
use payments::events::{Event, EventKind};
use payments::model::day::Day;
use payments::ports::SHARDS;
use payments::{PaymentKey, Timestamp};
use sha2::{Digest, Sha256};

use crate::load::largest_share;

/// Some places among which payments spread.
#[derive(Debug, Clone)]
pub struct Spread {
    /// Which.
    pub what: String,
    /// How many there should be.
    pub places: usize,
    /// How many were seen.
    pub seen: usize,
    /// The most payments that one place got in one second, as a multiple of the mean.
    pub in_a_second: f64,
    /// What the model counts with.
    pub allowed: f64,
    /// The most payments that one place got in all, as a multiple of the mean.
    pub in_all: f64,
    /// How many that may be at most, by the same rule.
    pub allowed_in_all: f64,
}

impl Spread {
    /// Whether every place got something, and none more than the model counts with.
    pub fn is_even(&self) -> bool {
        self.seen == self.places
            && self.in_a_second <= self.allowed
            && self.in_all <= self.allowed_in_all
    }
}

/// What is made of payments.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// The places.
    pub spreads: Vec<Spread>,
    /// Message groups; there is one for each payment.
    pub groups: usize,
}

/// Makes `payments` payments, `rate` each second, for a table and a queue with so many partitions.
///
/// A service's own hash is not known, so SHA-256 stands for it: any good hash spreads like it.
///
/// # Errors
///
/// When there is no project.
pub fn simulate(
    payments: u64,
    rate: u64,
    table_partitions: u64,
    queue_partitions: u64,
) -> anyhow::Result<Simulation> {
    let project_id = ProjectId::new(211)?;
    let day = Day::of(Timestamp::from_millis(1_767_225_600_000));
    let shards = u64::from(SHARDS);
    let mut counts: BTreeMap<&str, Count> = [
        ("shards of `outbox`", shards),
        ("shards of `next/poll`", shards),
        ("shards of `next/erase`", shards),
        ("shards of `day`", shards),
        ("partitions of the table", table_partitions),
        ("partitions of a queue", queue_partitions),
    ]
    .map(|(what, places)| (what, Count::new(places)))
    .into();
    let mut groups = BTreeSet::new();
    for number in 0..payments {
        let key = PaymentKey::new(project_id, &payment_id(number));
        let places = PartitionKeys::of(&key, day);
        let group = group(&key);
        let table = partition(&places.payment, table_partitions);
        let queue = partition(&group, queue_partitions);
        for (what, place) in [
            ("shards of `outbox`", places.outbox),
            ("shards of `next/poll`", places.poll),
            ("shards of `next/erase`", places.erase),
            ("shards of `day`", places.day),
            ("partitions of the table", table),
            ("partitions of a queue", queue),
        ] {
            counts.entry(what).and_modify(|count| count.add(place));
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

/// Ids as shops make them: counted, with the day, with capitals, at random.
fn payment_id(number: u64) -> String {
    match number % 4 {
        0 => format!("order-{}-1", 100_000 + number),
        1 => format!("2026-01-01.{number:07}"),
        2 => format!("SHOP_{number}"),
        _ => payments::sha256::start_of_hex(&number.to_be_bytes(), 32),
    }
}

/// The message group of a payment's events.
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

/// The partition of a key, where each has an equal part of the hashes.
fn partition(key: &str, partitions: u64) -> String {
    let hash = Sha256::digest(key.as_bytes());
    let start: [u8; 8] = hash.first_chunk().copied().unwrap_or_default();
    let scaled = u128::from(u64::from_be_bytes(start)) * u128::from(partitions);
    (scaled >> 64).to_string()
}

/// How many payments each place got.
#[derive(Debug)]
struct Count {
    places: u64,
    second: BTreeMap<String, u64>,
    all: BTreeMap<String, u64>,
    most_in_a_second: u64,
}

impl Count {
    fn new(places: u64) -> Self {
        Self {
            places,
            second: BTreeMap::new(),
            all: BTreeMap::new(),
            most_in_a_second: 0,
        }
    }

    fn add(&mut self, place: String) {
        *self.second.entry(place).or_default() += 1;
    }

    fn end_second(&mut self) {
        for (place, count) in std::mem::take(&mut self.second) {
            self.most_in_a_second = self.most_in_a_second.max(count);
            *self.all.entry(place).or_default() += count;
        }
    }

    fn spread(&self, what: &str, rate: u64) -> Spread {
        let places = self.places as f64;
        let (most, all) = (self.all.values().max(), self.all.values().sum::<u64>());
        let most = most.copied().unwrap_or(0) as f64;
        Spread {
            what: what.to_owned(),
            places: usize::try_from(self.places).unwrap_or(usize::MAX),
            seen: self.all.len(),
            in_a_second: self.most_in_a_second as f64 * places / rate as f64,
            allowed: largest_share(rate as f64, places),
            in_all: most * places / all as f64,
            allowed_in_all: largest_share(all as f64, places),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(place_of: impl Fn(u64) -> u64) -> Spread {
        let mut count = Count::new(8);
        for number in 0..10_000 {
            count.add(place_of(number).to_string());
            if (number + 1) % 100 == 0 {
                count.end_second();
            }
        }
        count.spread("shards", 100)
    }

    #[test]
    fn what_is_uneven_is_told() {
        assert!(spread(|number| number % 8).is_even());
        // One shard is never used, one gets a tenth more, one gets a whole second.
        assert!(!spread(|number| number % 7).is_even());
        assert!(!spread(|number| if number % 40 == 1 { 0 } else { number % 8 }).is_even());
        let rush = |number: u64| if number < 100 { 0 } else { number % 8 };
        assert!(!spread(rush).is_even());
    }
}
