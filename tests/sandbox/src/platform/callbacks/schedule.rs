//! Defines the pauses between the attempts to deliver one callback, as the platform documents them.

use std::time::Duration;

/// The maximum number of attempts. All attempts together take less than 11 days.
pub const ATTEMPTS: u32 = 120;

/// After each of the first attempts, up to this number, the pause is short. After later attempts, the pauses grow.
const SHORT_REPEATS: u32 = 6;
const SHORT_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(4 * 60 * 60);

/// Returns the pause after the attempt with this number, counted from 1. Returns `None` after the last attempt.
pub fn pause_after(attempt: u32) -> Option<Duration> {
    if attempt >= ATTEMPTS {
        return None;
    }
    if attempt <= SHORT_REPEATS {
        return Some(SHORT_PAUSE);
    }
    let growing = 70.0 + 10.0 * 1.12_f64.powf(f64::from(attempt) - 4.0);
    Some(Duration::from_secs_f64(growing).min(LONGEST_PAUSE))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn seconds(attempt: u32) -> u64 {
        pause_after(attempt).unwrap().as_secs_f64().round() as u64
    }

    #[test]
    fn the_pauses_match_the_documentation() {
        let documented = [
            (1, 10),
            (6, 10),
            (7, 84),
            (10, 90),
            (20, 131),
            (30, 260),
            (40, 661),
            (50, 1907),
            (60, 5774),
            (67, 12681),
            (68, 14194),
            (69, 14400),
            (119, 14400),
        ];
        for (attempt, pause) in documented {
            assert_eq!(seconds(attempt), pause, "attempt {attempt}");
        }
    }

    #[test]
    fn all_attempts_take_less_than_eleven_days() {
        let hours = |attempts: u32| {
            let pauses = (1..attempts).filter_map(pause_after);
            pauses.sum::<Duration>().as_secs_f64() / 3600.0
        };
        assert!((37.0..39.0).contains(&hours(69)), "{}", hours(69));
        let days = hours(ATTEMPTS) / 24.0;
        assert!((10.0..10.4).contains(&days), "{days}");
        assert_eq!(pause_after(ATTEMPTS), None);
    }
}
