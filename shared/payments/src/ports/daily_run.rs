//! Defines a run of a daily task, its parts, and the store of their results.

use std::future::Future;

use ecommpay::fields::ProjectId;
use serde::{Deserialize, Serialize};

use super::payment_store::SHARDS;
use super::progress_store::Daily;
use super::store_error::StoreError;
use crate::model::day::Day;
use crate::model::timestamp::Timestamp;

/// One execution of a daily task for a project. The run consists of parts that are done in parallel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The project.
    pub project_id: ProjectId,
    /// The task.
    pub daily: Daily,
    /// The start of the interval that the run covers.
    pub from: Timestamp,
    /// The end of the interval, exclusive.
    pub to: Timestamp,
    /// The id of the run, unique in the project.
    pub id: String,
    /// Whether the schedule started the run. Only such a run moves the task's progress forward.
    pub is_scheduled: bool,
}

/// A part of a run. A part that is too large for one execution splits into smaller parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Part {
    /// Compares the operations that the platform lists for an interval with our records.
    List {
        /// The start.
        from: Timestamp,
        /// The end, exclusive.
        to: Timestamp,
    },
    /// Finds operations of ours that the platform does not list. Needs the results of all `List` parts of the run.
    Missing(DayPart),
    /// Adds up the totals of a day, and checks whether orders were paid twice.
    Report(DayPart),
}

/// Some of the payments of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayPart {
    /// The day.
    pub day: Day,
    /// The first shard.
    pub shard: u8,
    /// The last shard, exclusive.
    pub end: u8,
    /// The part starts after this payment of the first shard; `None` means at the start.
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

/// Stores the results of the parts of a run. The store deletes them some days later.
pub trait RunStore {
    /// Stores content under a key unless the key already has content. Returns the stored content. Each shard of a run
    /// has its own keys, and so has the run itself (`None`).
    fn put(
        &self,
        run: &Run,
        shard: Option<u8>,
        key: &str,
        content: String,
    ) -> impl Future<Output = Result<String, StoreError>> + Send;

    /// Returns all keys and contents of a run, or of one of its shards. The read is consistent.
    fn contents(
        &self,
        run: &Run,
        shard: Option<u8>,
    ) -> impl Future<Output = Result<Vec<(String, String)>, StoreError>> + Send;
}
