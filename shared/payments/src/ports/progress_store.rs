//! Defines the store for the progress of daily tasks.

use std::future::Future;

use ecommpay::fields::ProjectId;
use serde::{Deserialize, Serialize};

use super::store_error::StoreError;
use crate::model::timestamp::Timestamp;

/// A task that covers each day of each project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Daily {
    /// Compares the platform records with our records.
    Compare,
    /// Reports the totals of the day.
    Report,
}

/// Stores how far each daily task of a project is done.
pub trait ProgressStore {
    /// Returns the time up to which the task is done; `None` without stored progress. The read is consistent.
    fn progress(
        &self,
        project_id: ProjectId,
        daily: Daily,
    ) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;

    /// Moves the progress forward to `until`. Has no effect if another run has already reached `until`.
    fn advance(
        &self,
        project_id: ProjectId,
        daily: Daily,
        until: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
