//! Computes the time at which a run must stop.

use std::time::{Duration, SystemTime};

use lambda_runtime::Context;
use tokio::time::Instant;

/// Returns the time at which a run must stop: `reserve` before the function's time-out.
pub fn deadline(context: &Context, reserve: Duration) -> Instant {
    let left = context.deadline().duration_since(SystemTime::now());
    Instant::now() + left.unwrap_or_default().saturating_sub(reserve)
}
