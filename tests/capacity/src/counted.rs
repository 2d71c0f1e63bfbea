//! Reads `counted.json`, the counts of a payment's calls.

use std::collections::BTreeMap;
use std::ops::{AddAssign, Sub};
use std::path::PathBuf;

use anyhow::Context;
use payments::service::checkout::READ_INTERVAL;
use serde::{Deserialize, Serialize};

/// The approximate size of the log line `a waiting shopper was redirected`, including the bytes that CloudWatch adds.
const HAND_OFF_LINE_BYTES: u64 = 320;

/// The writes of a wait: one claims the wait slot, and one releases it. The item of a slot is smaller than 1 KB, so
/// each write is one unit.
const SLOT_WRITES: u64 = 2;

/// The content of `counted.json`, which an end-to-end test writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    /// The steps of one paid payment, in their order.
    pub steps: Vec<Step>,
    /// A run of the sweeper that finds no work.
    pub tick: Used,
    /// The number of metrics that a run of the sweeper writes.
    pub tick_metrics: u64,
    /// The number of metrics that the functions write about a payment.
    pub payment_metrics: u64,
    /// The KB that a payment leaves in the table, without indexes.
    pub stored_kb: u64,
}

/// One step of a payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The name of the step in the tables.
    pub name: String,
    /// The function that runs.
    pub function: String,
    /// The API route; empty for scheduled work.
    pub route: String,
    /// The calls of the step.
    pub used: Used,
}

/// Calls of AWS services, with their units and log bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Used {
    /// The number of calls by operation. The name of a read also contains the kind of item. The name of a send also
    /// contains the queue.
    pub calls: BTreeMap<String, u64>,
    /// DynamoDB read units.
    pub read_units: f64,
    /// DynamoDB write units of the table.
    pub write_units: u64,
    /// DynamoDB write units by index and kind of index entry.
    pub index_write_units: BTreeMap<String, u64>,
    /// Bytes of the function's own log lines.
    pub log_bytes: u64,
    /// DynamoDB calls that a shopper's request makes only while it waits.
    #[serde(skip)]
    pub wait_calls: u64,
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
    /// Returns the number of calls whose names start with `prefix`.
    pub fn calls_of(&self, prefix: &str) -> u64 {
        let calls = self.calls.iter();
        let named = calls.filter(|(name, _)| name.starts_with(prefix));
        named.map(|(_, count)| count).sum()
    }

    /// Returns the number of messages sent.
    pub fn sends(&self) -> u64 {
        self.calls_of("SendMessage")
    }

    /// Returns the number of DynamoDB calls.
    pub fn table_calls(&self) -> u64 {
        self.calls.values().sum::<u64>() - self.sends() - self.calls_of("GetSecretValue")
    }

    /// Returns the write units of all indexes.
    pub fn all_index_write_units(&self) -> u64 {
        self.index_write_units.values().sum()
    }
}

impl Counted {
    /// Returns the path of `counted.json`.
    pub fn path() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("counted.json")
    }

    /// Reads `counted.json`.
    pub fn read() -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(Self::path()).context("counted.json is missing")?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Adds the calls and the log line of a shopper who waits `ms` for the redirect URL. The measured counts have no
    /// such wait, because in the sandbox the redirect URL arrives before the shopper.
    pub fn add_shopper_wait(&mut self, ms: f64) {
        let reads = (ms / READ_INTERVAL.as_secs_f64() / 1e3).ceil();
        if reads <= 0.0 {
            return;
        }
        let mut steps = self.steps.iter_mut();
        if let Some(step) = steps.find(|step| step.route == "GET /checkouts/{token}") {
            let used = &mut step.used;
            *used.calls.entry("GetItem payment".to_owned()).or_default() += reads as u64;
            used.read_units += reads;
            *used.calls.entry("UpdateItem".to_owned()).or_default() += SLOT_WRITES;
            used.write_units += SLOT_WRITES;
            // The claim of the slot is not a part of the wait, because a request that gets no slot also tries to claim.
            used.wait_calls = reads as u64 + SLOT_WRITES - 1;
            used.log_bytes += HAND_OFF_LINE_BYTES;
            self.payment_metrics += 1;
        }
    }

    /// Returns the sum of all steps.
    pub fn payment(&self) -> Used {
        let mut all = Used::default();
        for step in &self.steps {
            all += &step.used;
        }
        all
    }

    /// Returns the number of API calls per payment.
    pub fn api_calls(&self) -> u64 {
        let called = self.steps.iter().filter(|step| !step.route.is_empty());
        called.map(|_| 1).sum()
    }
}
