//! Checks the stored progress of the daily tasks.

use std::time::Duration;

use ecommpay::fields::ProjectId;

use crate::log::{Line, Metric};
use crate::model::timestamp::Timestamp;

/// The maximum assumed difference between the clocks of two functions.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(60);

/// Returns the stored progress of a task; `None` if the progress is in the future. Such a progress is damaged: the task
/// would do nothing until that time, and the lag of the task would be 0.
pub(super) fn not_in_the_future(
    until: Option<Timestamp>,
    project_id: ProjectId,
    now: Timestamp,
) -> Option<Timestamp> {
    let until = until?;
    if until <= now.after(MAX_CLOCK_SKEW) {
        return Some(until);
    }
    Line::error("the stored progress of a daily task is in the future")
        .with("project", project_id)
        .with("until", until)
        .with_metrics(&[], &[Metric::once("unreadable_items")])
        .write();
    None
}
