//! Computes the time at which a run must stop.

use std::time::{Duration, SystemTime};

use lambda_runtime::Context;
use tokio::time::Instant;

/// Returns the time that is `reserve` before the timeout of the function. If that time has passed, returns the current
/// time.
pub fn deadline(context: &Context, reserve: Duration) -> Instant {
    let left = context.deadline().duration_since(SystemTime::now());
    Instant::now() + left.unwrap_or_default().saturating_sub(reserve)
}
