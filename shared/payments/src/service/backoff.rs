//! Waits between the tries of a write. The times are random, so that two writers do not conflict again.

use std::time::Duration;

use crate::ports::Clock;

/// The maximum number of tries of a write.
pub const TRIES: u32 = 10;
/// The limit of the pause after the first try. The limit doubles with each further try.
pub const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The limit of every pause.
pub const LONGEST_PAUSE: Duration = Duration::from_millis(640);

/// Waits after the try with this number, counted from 0. Does not wait after the last try.
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
