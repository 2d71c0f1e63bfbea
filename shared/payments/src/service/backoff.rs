//! Waits for a random time between the tries of a write, so that two writers do not conflict with each other again.

use std::time::Duration;

use crate::ports::Clock;

/// The maximum number of tries of a write.
pub const TRIES: u32 = 10;
/// The pause after the first try is shorter than this time. The limit doubles with each further try.
pub const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// Every pause is shorter than this time.
pub const LONGEST_PAUSE: Duration = Duration::from_millis(640);

/// Waits a random time after the try with this number, counted from 0. After the last try, returns immediately.
pub async fn pause(clock: &impl Clock, number: u32) {
    if number + 1 >= TRIES {
        return;
    }
    let longest = FIRST_PAUSE.saturating_mul(1 << number.min(TRIES));
    let max_millis = longest.min(LONGEST_PAUSE).as_millis();
    let max_millis = u64::try_from(max_millis).unwrap_or(u64::MAX);
    let delay = Duration::from_millis(clock.random(max_millis));
    clock.sleep(delay).await;
}
