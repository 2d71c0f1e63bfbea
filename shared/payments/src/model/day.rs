//! Defines calendar days in UTC.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::Date;
use time::format_description::well_known::Iso8601;

use super::timestamp::Timestamp;

const SECONDS: i64 = 24 * 3_600;

/// A day in UTC, as the number of days since 1970-01-01; written as `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

impl Day {
    /// Returns the day that contains a time.
    pub fn of(time: Timestamp) -> Self {
        Self(time.unix_seconds().div_euclid(SECONDS))
    }

    /// Returns the time at which the day starts.
    pub fn start(self) -> Timestamp {
        let millis = self.0.saturating_mul(SECONDS).saturating_mul(1_000);
        Timestamp::from_millis(millis)
    }

    /// Parses `YYYY-MM-DD`. Returns `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let date = Date::parse(text, &Iso8601::DATE).ok()?;
        let day = Self::of(Timestamp::from_millis(
            date.midnight().assume_utc().unix_timestamp() * 1_000,
        ));
        // `Iso8601::DATE` accepts other forms too.
        (day.to_string() == text).then_some(day)
    }

    /// Returns the next day.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Returns the previous day.
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// Returns the days from the day of `from` to the day of the last millisecond before `to`.
    pub fn between(from: Timestamp, to: Timestamp) -> impl Iterator<Item = Self> {
        let last = Self::of(to.before(Duration::from_millis(1)));
        (Self::of(from).0..=last.0).map(Self)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every time has a text, even outside the years 0 to 9999. So `to_string` does not panic.
        let time = self.start().to_string();
        formatter.write_str(time.get(..10).unwrap_or_default())
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a day like 2026-11-21"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        Timestamp::of_platform(text).unwrap()
    }

    #[test]
    fn a_day_ends_at_midnight_in_utc() {
        let day = |text| Day::of(time(text)).to_string();
        assert_eq!(day("2019-07-02T23:59:59+0000"), "2019-07-02");
        assert_eq!(day("2019-07-03T00:00:00+0000"), "2019-07-03");
        assert_eq!(day("2019-07-02T23:30:00-0100"), "2019-07-03");
        assert_eq!(day("1969-12-31T23:59:59+0000"), "1969-12-31");
    }

    #[test]
    fn a_day_is_parsed_only_in_the_form_yyyy_mm_dd() {
        let day = Day::of(time("2020-02-29T12:00:00+0000"));
        assert_eq!(Day::parse("2020-02-29"), Some(day));
        for text in [
            "2021-02-29",
            "2020-2-29",
            "20200229",
            "2020-W09-6",
            "2020-060",
            "",
        ] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_day_after_28_february_in_a_leap_year_is_29_february() {
        let day = Day::of(time("2020-02-28T12:00:00+0000"));
        assert_eq!(day.next().to_string(), "2020-02-29");
        assert_eq!(day.next().previous(), day);
        assert_eq!(day.start().to_string(), "2020-02-28T00:00:00Z");
    }

    #[test]
    fn an_interval_that_ends_at_midnight_does_not_include_the_next_day() {
        let days = |from, to| -> Vec<String> {
            let days = Day::between(time(from), time(to));
            days.map(|day| day.to_string()).collect()
        };
        let (midnight, later) = ("2019-07-02T00:00:00+0000", "2019-07-02T01:00:00+0000");
        assert_eq!(days(midnight, later), ["2019-07-02"]);
        assert_eq!(days("2019-07-01T23:00:00+0000", midnight), ["2019-07-01"]);
        let two = ["2019-07-01", "2019-07-02"];
        assert_eq!(days("2019-07-01T23:00:00+0000", later), two);
        assert!(days(midnight, midnight).is_empty());
    }
}
