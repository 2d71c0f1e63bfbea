//! Computes the load of a constant rate of payments.

use std::collections::BTreeMap;

use payments::ports::SHARDS;

use crate::assumptions::Assumptions;
use crate::counted::{Counted, Used};

/// A bucket (a shard or a partition) exceeds [`largest_share`] on average at most once in e^12 (about 160,000) seconds.
const LOG_ODDS: f64 = 12.0;

/// DynamoDB lets a partition use the unused capacity of the last 300 seconds. The calculation relies on only 60
/// seconds.
const BURST_S: f64 = 60.0;

/// The load at a constant rate.
#[derive(Debug)]
pub struct Load<'a> {
    counted: &'a Counted,
    assumptions: &'a Assumptions,
    /// At most this many shoppers' requests wait at the same time.
    max_waits: f64,
    payment: Used,
    /// Payments per second.
    pub rate: f64,
}

impl<'a> Load<'a> {
    /// Returns the load of `rate` payments per second.
    pub fn new(
        counted: &'a Counted,
        assumptions: &'a Assumptions,
        max_waits: f64,
        rate: f64,
    ) -> Self {
        Self {
            counted,
            assumptions,
            max_waits,
            payment: counted.payment(),
            rate,
        }
    }

    /// Returns the API calls per second.
    pub fn api_calls(&self) -> f64 {
        self.counted.api_calls() as f64 * self.rate
    }

    /// Returns the mean number of concurrent executions by function. A shopper's request waits only while it holds a
    /// wait slot, so at most `max_waits` requests wait.
    pub fn concurrency(&self) -> BTreeMap<&'a str, f64> {
        let mut running = BTreeMap::new();
        let called = self.counted.steps.iter();
        for step in called.filter(|step| !step.route.is_empty()) {
            let working = self.assumptions.working_ms(step) / 1_000.0 * self.rate;
            let waiting = self.assumptions.wait_ms(step) / 1_000.0 * self.rate;
            *running.entry(step.function.as_str()).or_default() +=
                working + waiting.min(self.max_waits);
        }
        running
    }

    /// Returns the payments per second at which one function, or all functions together, have `limit` concurrent
    /// executions.
    pub fn rate_with_executions(&self, function: Option<&str>, limit: f64) -> f64 {
        let called = self.counted.steps.iter();
        let called = called.filter(|step| !step.route.is_empty());
        let called = called.filter(|step| function.is_none_or(|name| step.function == name));
        let (mut working, mut waiting) = (0.0, 0.0);
        for step in called {
            working += self.assumptions.working_ms(step) / 1_000.0;
            waiting += self.assumptions.wait_ms(step) / 1_000.0;
        }
        let all_wait = limit / (working + waiting);
        match all_wait * waiting <= self.max_waits {
            true => all_wait,
            false => (limit - self.max_waits) / working,
        }
    }

    /// Returns the write units per second of the table, without indexes.
    pub fn table_writes(&self) -> f64 {
        self.payment.write_units as f64 * self.rate
    }

    /// Returns the write units per second by index and kind of entry.
    pub fn index_writes(&self) -> BTreeMap<&str, f64> {
        let units = self.payment.index_write_units.iter();
        units
            .map(|(entry, units)| (entry.as_str(), *units as f64 * self.rate))
            .collect()
    }

    /// Returns the assumed maximum write units per second on one shard of the busiest index.
    pub fn busiest_shard(&self) -> f64 {
        let most = self.index_writes().into_values().fold(0.0, f64::max);
        most / f64::from(SHARDS) * largest_share(self.rate, f64::from(SHARDS))
    }

    /// Returns the number of partitions that the table needs if each partition can write `limit` units per second.
    pub fn partitions(&self, limit: f64) -> f64 {
        self.buckets_for(self.table_writes(), limit)
    }

    /// Returns the number of partitions that the busiest queue needs if each partition can receive `limit` messages per
    /// second.
    pub fn queue_partitions(&self, limit: f64) -> f64 {
        self.buckets_for(self.messages(), limit)
    }

    fn buckets_for(&self, work: f64, limit: f64) -> f64 {
        let mut buckets = (work / limit).ceil().max(1.0);
        let fits =
            |buckets: f64| work / buckets * largest_share_in_burst(self.rate, buckets) <= limit;
        while !fits(buckets) && buckets < work {
            buckets += 1.0;
        }
        buckets
    }

    /// Returns the read units per second.
    pub fn reads(&self) -> f64 {
        self.payment.read_units * self.rate
    }

    /// Returns the read units per second of one storefront key, if all payments use this key.
    pub fn key_reads(&self) -> f64 {
        self.payment.calls_of("GetItem storefront_key") as f64 * self.rate
    }

    /// Returns the messages per second to the busiest queue.
    pub fn messages(&self) -> f64 {
        let sends = self.payment.calls.iter();
        let sends = sends.filter(|(name, _)| name.starts_with("SendMessage"));
        sends.map(|(_, count)| *count).max().unwrap_or(0) as f64 * self.rate
    }

    /// Returns the growth of the table in GB per day.
    pub fn daily_gb(&self) -> f64 {
        self.counted.stored_kb as f64 * 1_024.0 * self.rate * 86_400.0 / 1e9
    }

    /// Returns the number of calls per payment to the route with the most calls. `POST /callbacks` does not count,
    /// because this route has its own limit, `CallbackRate`.
    pub fn calls_of_busiest_route(&self) -> f64 {
        let mut calls = BTreeMap::<&str, f64>::new();
        for step in &self.counted.steps {
            if !step.route.is_empty() && step.route != "POST /callbacks" {
                *calls.entry(&step.route).or_default() += 1.0;
            }
        }
        calls.into_values().fold(0.0, f64::max)
    }

    /// Returns the number of callbacks per payment.
    pub fn callbacks(&self) -> f64 {
        let steps = self.counted.steps.iter();
        steps.filter(|step| step.route == "POST /callbacks").count() as f64
    }
}

/// Returns the assumed maximum share of a bucket, as a multiple of the mean. A hash distributes `items` over `buckets`.
/// The maximum follows from Bernstein's inequality for the binomial distribution.
pub fn largest_share(items: f64, buckets: f64) -> f64 {
    let mean = items / buckets;
    let variance = mean * (1.0 - 1.0 / buckets);
    let share = 1.0 + ((2.0 * LOG_ODDS * variance).sqrt() + 2.0 / 3.0 * LOG_ODDS) / mean;
    share.min(buckets)
}

/// Returns [`largest_share`] for the items of `BURST_S` seconds together. DynamoDB's burst capacity covers peaks within
/// this time.
pub fn largest_share_in_burst(items_per_second: f64, buckets: f64) -> f64 {
    largest_share(items_per_second * BURST_S, buckets)
}
