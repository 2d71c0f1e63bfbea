//! What so many payments a second need.

use std::collections::BTreeMap;

use payments::ports::SHARDS;

use crate::assumptions::Assumptions;
use crate::counted::{Counted, Used};

/// A place holds more than [`largest_share`] says in one second of `e` to the power of this: 160,000.
const ODDS: f64 = 12.0;

/// DynamoDB lets a partition use later what it did not use in the last 300 seconds. It is counted with
/// that only a rush of less than a minute is evened out.
const EVENED_OUT_S: f64 = 60.0;

/// The load of a second.
#[derive(Debug)]
pub struct Load<'a> {
    counted: &'a Counted,
    assumptions: &'a Assumptions,
    payment: Used,
    /// Payments a second.
    pub rate: f64,
}

impl<'a> Load<'a> {
    /// At a rate.
    pub fn new(counted: &'a Counted, assumptions: &'a Assumptions, rate: f64) -> Self {
        Self {
            counted,
            assumptions,
            payment: counted.payment(),
            rate,
        }
    }

    /// Calls of the API a second.
    pub fn api_calls(&self) -> f64 {
        self.counted.api_calls() as f64 * self.rate
    }

    /// How many of each function run at once, on average.
    pub fn concurrency(&self) -> BTreeMap<&'a str, f64> {
        let mut running = BTreeMap::new();
        let called = self.counted.steps.iter();
        for step in called.filter(|step| !step.route.is_empty()) {
            let seconds = self.assumptions.busy_ms(step) / 1_000.0;
            *running.entry(step.function.as_str()).or_default() += seconds * self.rate;
        }
        running
    }

    /// Write units a second of the table, its indexes apart.
    pub fn table_writes(&self) -> f64 {
        self.payment.write_units as f64 * self.rate
    }

    /// Write units a second of the indexes, by what is listed.
    pub fn index_writes(&self) -> BTreeMap<&str, f64> {
        let units = self.payment.index_write_units.iter();
        units
            .map(|(listed, units)| (listed.as_str(), *units as f64 * self.rate))
            .collect()
    }

    /// Write units of the busiest shard of what is listed most, in any second.
    pub fn busiest_shard(&self) -> f64 {
        let most = self.index_writes().into_values().fold(0.0, f64::max);
        most / f64::from(SHARDS) * largest_share(self.rate, f64::from(SHARDS))
    }

    /// Partitions that the table needs for its writes, if none may have more than `most` units.
    pub fn partitions(&self, most: f64) -> f64 {
        self.spread_until(self.table_writes(), most)
    }

    /// Partitions that the busiest queue needs, if none may have more than `most` messages a second.
    pub fn queue_partitions(&self, most: f64) -> f64 {
        self.spread_until(self.messages(), most)
    }

    fn spread_until(&self, work: f64, most: f64) -> f64 {
        let mut partitions = (work / most).ceil().max(1.0);
        let fits = |partitions: f64| {
            work / partitions * largest_share_for_long(self.rate, partitions) <= most
        };
        while !fits(partitions) && partitions < work {
            partitions += 1.0;
        }
        partitions
    }

    /// Read units a second.
    pub fn reads(&self) -> f64 {
        self.payment.read_units * self.rate
    }

    /// Read units a second of a storefront's key, if there is one storefront with one key.
    pub fn key_reads(&self) -> f64 {
        self.payment.calls_of("GetItem storefront_key") as f64 * self.rate
    }

    /// Messages a second to the busiest queue.
    pub fn messages(&self) -> f64 {
        let sends = self.payment.calls.iter();
        let sends = sends.filter(|(name, _)| name.starts_with("SendMessage"));
        sends.map(|(_, count)| *count).max().unwrap_or(0) as f64 * self.rate
    }

    /// GB that a day adds to the table.
    pub fn daily_gb(&self) -> f64 {
        self.counted.stored_kb as f64 * 1_024.0 * self.rate * 86_400.0 / 1e9
    }

    /// Calls of a route, or of those that the template limits together, by payment: the most of any.
    pub fn calls_of_busiest_route(&self) -> f64 {
        let mut calls = BTreeMap::<&str, f64>::new();
        for step in &self.counted.steps {
            if !step.route.is_empty() && step.route != "POST /callbacks" {
                *calls.entry(&step.route).or_default() += 1.0;
            }
        }
        calls.into_values().fold(0.0, f64::max)
    }

    /// Callbacks by payment.
    pub fn callbacks(&self) -> f64 {
        let steps = self.counted.steps.iter();
        steps.filter(|step| step.route == "POST /callbacks").count() as f64
    }
}

/// How many times its mean one of so many equally likely places holds of so many things, at most:
/// by Bernstein's inequality for the binomial distribution.
pub fn largest_share(things: f64, places: f64) -> f64 {
    let mean = things / places;
    let variance = mean * (1.0 - 1.0 / places);
    let share = 1.0 + ((2.0 * ODDS * variance).sqrt() + 2.0 / 3.0 * ODDS) / mean;
    share.min(places)
}

/// The same for as long as DynamoDB does not even it out, of so many things a second.
pub fn largest_share_for_long(things: f64, places: f64) -> f64 {
    largest_share(things * EVENED_OUT_S, places)
}
