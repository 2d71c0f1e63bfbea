//! Decides when an event is tried again that an endpoint did not accept.

use std::time::Duration;

use crate::model::timestamp::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// The delays after the failed tries of an event. There is one more try than there are delays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrySchedule(Vec<Duration>);

impl Default for RetrySchedule {
    fn default() -> Self {
        let delays = [
            5,
            5 * MINUTE,
            30 * MINUTE,
            2 * HOUR,
            5 * HOUR,
            10 * HOUR,
            10 * HOUR,
        ];
        Self(delays.map(Duration::from_secs).into())
    }
}

impl RetrySchedule {
    /// Creates a schedule with these delays; a sandbox uses shorter ones.
    pub fn new(delays: Vec<Duration>) -> Self {
        Self(delays)
    }

    /// Returns the delays.
    pub fn delays(&self) -> &[Duration] {
        &self.0
    }

    /// Returns the time of the next try of an event after this number of failed tries; `None` after the last try. The
    /// delay differs from the scheduled delay by at most a tenth, so that events that failed together are not tried
    /// together. `random` is any random number.
    pub fn retry_at(&self, failures: u32, now: Timestamp, random: u64) -> Option<Timestamp> {
        let number = usize::try_from(failures.checked_sub(1)?).ok()?;
        let delay = self.0.get(number)?;
        let millis = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        let tenth = millis / 10;
        let jitter = random % (2 * tenth + 1);
        Some(now.after(Duration::from_millis(millis - tenth + jitter)))
    }

    /// Returns the age at which an event is given up while the breaker of its endpoint is open. It is longer than all
    /// delays together, with jitter.
    pub fn max_age(&self) -> Duration {
        let all: Duration = self.0.iter().sum();
        all + all / 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_562_059_700_123);

    fn delay(failures: u32, random: u64) -> Option<u64> {
        let at = RetrySchedule::default().retry_at(failures, NOW, random)?;
        Some(u64::try_from(at.since(NOW).as_millis()).unwrap())
    }

    #[test]
    fn each_failure_has_its_delay_and_the_eighth_is_the_last() {
        let seconds = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
        for (failures, seconds) in (1..).zip(seconds) {
            let (least, most) = (seconds * 900, seconds * 1_100);
            assert_eq!(delay(failures, 0), Some(least));
            assert_eq!(delay(failures, most - least), Some(most));
            assert_eq!(delay(failures, most - least + 1), Some(least));
        }
        assert_eq!(delay(8, 7), None);
        assert_eq!(delay(0, 7), None);
    }

    #[test]
    fn an_event_is_not_given_up_for_its_age_before_its_last_try() {
        let schedule = RetrySchedule::default();
        let longest: u64 = (1..=7)
            .map(|failures| delay(failures, 0).unwrap() * 11 / 9)
            .sum();
        let age = u64::try_from(schedule.max_age().as_millis()).unwrap();
        assert!(age > longest, "{age} {longest}");
        assert_eq!(schedule.max_age().as_secs() / 3_600, 31);
    }
}
