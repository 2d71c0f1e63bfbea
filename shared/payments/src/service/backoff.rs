//! Waits for a random time between the tries of a write, so that two writers do not conflict with each other again.

use std::time::Duration;

use crate::ports::Clock;

/// The maximum number of tries of a write.
pub const TRIES: u32 = 10;

/// Waits a random time after the try with this number, counted from 0. The wait is shorter than 20 ms after the first
/// try. This limit doubles with each further try, up to 640 ms. After the last try, returns immediately.
pub async fn pause(clock: &impl Clock, number: u32) {
    if number + 1 >= TRIES {
        return;
    }
    let max_millis = 20u64 << number.min(5);
    let delay = Duration::from_millis(clock.random(max_millis));
    clock.sleep(delay).await;
}
