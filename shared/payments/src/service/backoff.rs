//! Random pauses that grow with the attempts, so that two writers that met do not meet again.

use std::time::Duration;

use crate::ports::Clock;

/// How often a write is tried again when others were faster.
pub const ATTEMPTS: u32 = 10;

/// Waits before the next attempt, if there is one: up to 20 ms after the first, up to 640 ms later.
pub async fn pause(clock: &impl Clock, attempt: u32) {
    if attempt + 1 >= ATTEMPTS {
        return;
    }
    let longest = 20u64 << attempt.min(5);
    let pause = Duration::from_millis(clock.random(longest));
    clock.sleep(pause).await;
}
