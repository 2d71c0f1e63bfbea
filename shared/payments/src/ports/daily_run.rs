//! Defines the runs of daily tasks, the parts of a run, and the store of their results.

use std::future::Future;

use ecommpay::fields::ProjectId;
use serde::{Deserialize, Serialize};

use super::payment_store::SHARDS;
use super::progress_store::Daily;
use super::store_error::StoreError;
use crate::model::day::Day;
use crate::model::timestamp::Timestamp;

/// A run of a daily task of one project. A run consists of parts, which are done side by side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The project.
    pub project_id: ProjectId,
    /// The task.
    pub daily: Daily,
    /// The start of the interval that the run covers.
    pub from: Timestamp,
    /// The end of the interval, which is not included.
    pub to: Timestamp,
    /// Distinguishes the run from all other runs of the project.
    pub id: String,
    /// Whether the schedule started the run. Only such a run changes the progress of the task.
    pub is_scheduled: bool,
}

/// A part of a run. A part that does not fit into one execution ends with smaller parts instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Part {
    /// Compares the operations that the platform lists for an interval with our records.
    List {
        /// The start.
        from: Timestamp,
        /// The end, which is not included.
        to: Timestamp,
    },
    /// Finds operations of ours that the platform does not list. Needs the results of all lists of the run.
    Missing(DayPart),
    /// Adds up the totals of a day, and checks whether orders were paid twice.
    Report(DayPart),
}

/// A part of the payments of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayPart {
    /// The day.
    pub day: Day,
    /// The first shard of the index.
    pub shard: u8,
    /// The shard after the last shard.
    pub end: u8,
    /// The payment after which the part starts in the first shard. `None` if the part starts with the first payment.
    pub after: Option<String>,
}

impl DayPart {
    /// Returns the part that contains the whole day.
    pub fn whole(day: Day) -> Self {
        Self {
            day,
            shard: 0,
            end: SHARDS,
            after: None,
        }
    }
}

/// Stores what the parts of a run produce. Everything that belongs to a run expires some days later.
pub trait RunStore {
    /// Stores content under a key of a run, unless the key already has content. Returns the content that the key has
    /// then. If `shard` is not `None`, the content belongs to this shard of the run, and each shard has its own keys.
    fn put(
        &self,
        run: &Run,
        shard: Option<u8>,
        key: &str,
        content: String,
    ) -> impl Future<Output = Result<String, StoreError>> + Send;

    /// Returns all keys of a run, or of a shard of the run, with their contents. The read is consistent.
    fn contents(
        &self,
        run: &Run,
        shard: Option<u8>,
    ) -> impl Future<Output = Result<Vec<(String, String)>, StoreError>> + Send;
}
