//! Parses the values of options.

use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::model::day::Day;

pub fn project(text: &str) -> Result<ProjectId, String> {
    let id = text.parse().map_err(|_| "not a number")?;
    ProjectId::new(id).map_err(|error| error.to_string())
}

/// Parses a day in UTC.
pub fn day(text: &str) -> Result<Day, &'static str> {
    Day::parse(text).ok_or("not a day like 2026-11-21")
}

/// Parses a time in RFC 3339, with any UTC offset.
pub fn time(text: &str) -> Result<Timestamp, &'static str> {
    let time = serde_json::from_value(text.into());
    time.map_err(|_| "not a time like 2026-11-21T10:00:00Z")
}
