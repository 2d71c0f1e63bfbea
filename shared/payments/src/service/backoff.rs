//! Random delays between the attempts of a write, so that two writers do not conflict with each other again.

use std::time::Duration;

use crate::ports::Clock;

/// The maximum number of attempts of a write.
pub const ATTEMPTS: u32 = 10;

/// Waits a random time after attempt number `attempt`, counted from 0. The upper limit of the wait is 20 ms after
/// the first attempt, and doubles with each attempt up to 640 ms. Returns immediately after the last attempt.
pub async fn pause(clock: &impl Clock, attempt: u32) {
    if attempt + 1 >= ATTEMPTS {
        return;
    }
    let max_millis = 20u64 << attempt.min(5);
    let delay = Duration::from_millis(clock.random(max_millis));
    clock.sleep(delay).await;
}
