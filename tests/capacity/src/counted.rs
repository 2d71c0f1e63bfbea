//! What was counted in a sandbox, as `counted.json` keeps it.

use std::collections::BTreeMap;
use std::ops::{AddAssign, Sub};
use std::path::PathBuf;

use anyhow::Context;
use payments::service::checkout::READ_EVERY;
use serde::{Deserialize, Serialize};

/// About what the line `handed over` has, with CloudWatch's own bytes.
const HAND_OFF_LINE_BYTES: u64 = 320;

/// Everything that was counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    /// The steps of one paid payment, in their order.
    pub steps: Vec<Step>,
    /// A tick of the sweeper that finds nothing to do.
    pub tick: Used,
    /// Metrics that a tick leaves.
    pub tick_metrics: u64,
    /// Metrics that a payment leaves.
    pub payment_metrics: u64,
    /// KB that a payment leaves in the table, its index entries apart.
    pub stored_kb: u64,
}

/// One step of a payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What happens.
    pub name: String,
    /// The function that does it.
    pub function: String,
    /// The API's route; empty for what a schedule does.
    pub route: String,
    /// What it takes.
    pub used: Used,
}

/// Calls of AWS.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Used {
    /// How often each operation was called; reads of an item by what the item is.
    pub calls: BTreeMap<String, u64>,
    /// DynamoDB's read units.
    pub read_units: f64,
    /// DynamoDB's write units of the table.
    pub write_units: u64,
    /// Those of the indexes, by index and what is listed there.
    pub index_write_units: BTreeMap<String, u64>,
    /// Bytes that the function itself logged.
    pub log_bytes: u64,
}

impl AddAssign<&Used> for Used {
    fn add_assign(&mut self, other: &Used) {
        let sum = |into: &mut BTreeMap<String, u64>, of: &BTreeMap<String, u64>| {
            for (name, count) in of {
                *into.entry(name.clone()).or_default() += count;
            }
        };
        sum(&mut self.calls, &other.calls);
        sum(&mut self.index_write_units, &other.index_write_units);
        self.read_units += other.read_units;
        self.write_units += other.write_units;
        self.log_bytes += other.log_bytes;
    }
}

/// What one took more than another.
impl Sub<&Used> for Used {
    type Output = Used;

    fn sub(mut self, other: &Used) -> Used {
        let less = |from: &mut BTreeMap<String, u64>, of: &BTreeMap<String, u64>| {
            for (name, count) in of {
                let left = from.entry(name.clone()).or_default();
                *left = left.saturating_sub(*count);
            }
            from.retain(|_, count| *count > 0);
        };
        less(&mut self.calls, &other.calls);
        less(&mut self.index_write_units, &other.index_write_units);
        self.read_units -= other.read_units;
        self.write_units -= other.write_units;
        self.log_bytes = self.log_bytes.saturating_sub(other.log_bytes);
        self
    }
}

impl Used {
    /// The calls whose names begin so.
    pub fn calls_of(&self, start: &str) -> u64 {
        let calls = self.calls.iter();
        let named = calls.filter(|(name, _)| name.starts_with(start));
        named.map(|(_, count)| count).sum()
    }

    /// Messages sent.
    pub fn sends(&self) -> u64 {
        self.calls_of("SendMessage")
    }

    /// Calls of DynamoDB.
    pub fn table_calls(&self) -> u64 {
        self.calls.values().sum::<u64>() - self.sends() - self.calls_of("GetSecretValue")
    }

    /// Write units of all indexes.
    pub fn all_index_write_units(&self) -> u64 {
        self.index_write_units.values().sum()
    }
}

impl Counted {
    /// Where it is kept.
    pub fn path() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("counted.json")
    }

    /// What is kept.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn read() -> anyhow::Result<Self> {
        let kept = std::fs::read_to_string(Self::path()).context("nothing was counted yet")?;
        Ok(serde_json::from_str(&kept)?)
    }

    /// Adds what a shopper's wait takes, as the sandbox's shopper finds the bank's address at once: a
    /// read again and again, and the line with its metric that tells how long the address was known.
    pub fn let_shopper_wait(&mut self, ms: f64) {
        let reads = (ms / READ_EVERY.as_secs_f64() / 1e3).ceil();
        if reads <= 0.0 {
            return;
        }
        let mut steps = self.steps.iter_mut();
        if let Some(step) = steps.find(|step| step.route == "GET /checkouts/{token}") {
            let used = &mut step.used;
            *used.calls.entry("GetItem payment".to_owned()).or_default() += reads as u64;
            used.read_units += reads;
            used.log_bytes += HAND_OFF_LINE_BYTES;
            self.payment_metrics += 1;
        }
    }

    /// All steps together.
    pub fn payment(&self) -> Used {
        let mut all = Used::default();
        for step in &self.steps {
            all += &step.used;
        }
        all
    }

    /// How often a payment calls the API.
    pub fn api_calls(&self) -> u64 {
        let called = self.steps.iter().filter(|step| !step.route.is_empty());
        called.map(|_| 1).sum()
    }
}
