//! Random delays between the attempts of a write, so that two writers with a conflict do not meet again.

use std::time::Duration;

use crate::ports::Clock;

/// The most attempts of a write.
pub const ATTEMPTS: u32 = 10;

/// Waits after attempt number `attempt`, counted from 0: up to 20 ms after the first, and up to 640 ms after
/// later ones. Returns immediately after the last attempt.
pub async fn pause(clock: &impl Clock, attempt: u32) {
    if attempt + 1 >= ATTEMPTS {
        return;
    }
    let max_millis = 20u64 << attempt.min(5);
    let delay = Duration::from_millis(clock.random(max_millis));
    clock.sleep(delay).await;
}
