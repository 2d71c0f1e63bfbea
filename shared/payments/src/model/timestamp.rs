//! Defines times in UTC with milliseconds.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// The first millisecond of the year 0.
const FIRST: i64 = -62_167_219_200_000;
/// The last millisecond of the year 9999.
const LAST: i64 = 253_402_300_799_999;

/// A time in milliseconds since 1970 UTC; written as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Creates a time from milliseconds since 1970 UTC.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns the time of the system clock.
    pub fn now() -> Self {
        Self((OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000) as i64)
    }

    /// Returns the milliseconds since 1970 UTC.
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// Returns the whole seconds since 1970 UTC, the unit of DynamoDB's TTL.
    pub fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Parses a date in the platform's form, such as `2019-07-02T07:16:46+0000`.
    pub fn of_platform(text: &str) -> Option<Self> {
        let format = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second][offset_hour sign:mandatory][offset_minute]"
        );
        let time = OffsetDateTime::parse(text, format).ok()?;
        Self::from_unix_seconds(time.unix_timestamp())
    }

    /// Returns `None` outside the years 0 to 9999.
    pub(crate) fn from_unix_seconds(seconds: i64) -> Option<Self> {
        Self::from_unix_millis(seconds.checked_mul(1_000)?)
    }

    /// Creates a time from stored or received milliseconds. Returns `None` outside the years 0 to 9999, because such a
    /// time has no text.
    pub fn from_unix_millis(millis: i64) -> Option<Self> {
        (FIRST..=LAST).contains(&millis).then_some(Self(millis))
    }

    /// Returns the platform's form, in UTC.
    pub fn to_platform(self) -> String {
        self.to_seconds_with_offset().replace("+00:00", "+0000")
    }

    /// Returns the form that Payment Page requires, such as `2026-11-21T10:00:00+00:00`.
    pub fn to_seconds_with_offset(self) -> String {
        let whole = Self(self.0 - self.0.rem_euclid(1000));
        whole.to_string().replace('Z', "+00:00")
    }

    /// Returns the duration since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        let millis = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    /// Returns the time that precedes this time by `duration`.
    pub fn before(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// Returns the time that follows this time by `duration`.
    pub fn after(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The time is clamped, because a calculation can leave the years 0 to 9999. An error would cause a panic in
        // `to_string`.
        let millis = self.0.clamp(FIRST, LAST);
        let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
            .map_err(|_| fmt::Error)?;
        formatter.write_str(&time.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = OffsetDateTime::parse(&text, &Rfc3339).map_err(serde::de::Error::custom)?;
        let millis = i64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok();
        let time = millis.and_then(Self::from_unix_millis);
        time.ok_or_else(|| serde::de::Error::custom("the year has no four digits in UTC"))
    }
}

/// Stores a time as a number, which is shorter than RFC 3339.
pub(crate) mod millis {
    use serde::de::Error;

    use super::{Deserialize, Deserializer, Serializer, Timestamp};

    pub(crate) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(at.unix_millis())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let time = Timestamp::from_unix_millis(i64::deserialize(from)?);
        time.ok_or_else(|| Error::custom("the time is outside the years 0 to 9999"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_date_is_parsed_with_its_offset() {
        let parse = |text| Timestamp::of_platform(text).map(|time| time.to_string());
        let expected = Some("2019-07-02T05:16:46Z".to_owned());
        assert_eq!(parse("2019-07-02T07:16:46+0200"), expected);
        assert_eq!(parse("2019-07-02T05:16:46+0000"), expected);
        for text in [
            "",
            "yesterday",
            "2019-07-02",
            "2019-13-02T05:16:46+0000",
            // In UTC, this date is in the year 10000.
            "9999-12-31T23:59:59-0100",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_survives_a_round_trip_through_json() {
        let time = Timestamp::from_millis(1_562_059_709_120);
        assert_eq!(time.to_string(), "2019-07-02T09:28:29.12Z");
        assert_eq!(time.to_seconds_with_offset(), "2019-07-02T09:28:29+00:00");
        let text = serde_json::to_string(&time).unwrap();
        assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), time);
    }

    #[test]
    fn a_time_outside_the_years_0_to_9999_is_refused_when_read_and_clamped_when_written() {
        let end = "9999-12-31T23:59:59.999Z";
        let last = serde_json::from_str::<Timestamp>(&format!("\"{end}\"")).unwrap();
        assert_eq!(last.after(Duration::from_secs(60)).to_string(), end);
        assert_eq!(Timestamp::from_millis(i64::MAX).to_string(), end);
        let first = "0000-01-01T00:00:00Z";
        assert_eq!(Timestamp::from_millis(i64::MIN).to_string(), first);
        assert!(Timestamp::from_unix_millis(last.unix_millis() + 1).is_none());
        let text = "\"9999-12-31T23:59:59-01:00\"";
        assert!(serde_json::from_str::<Timestamp>(text).is_err());
    }

    #[test]
    fn a_duration_is_added_and_subtracted_in_milliseconds() {
        let time = Timestamp::from_millis(1_562_059_709_120);
        let second = Duration::from_secs(1);
        assert_eq!(time.after(second).unix_seconds(), 1_562_059_710);
        let later = time.after(Duration::from_millis(1_500));
        assert_eq!(later.since(time), Duration::from_millis(1_500));
        assert_eq!(time.since(later), Duration::ZERO);
        assert_eq!(later.before(Duration::from_millis(1_500)), time);
    }
}
