//! What is read from the command line.

use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::model::day::Day;

/// A project's number.
pub fn project(text: &str) -> Result<ProjectId, String> {
    let id = text.parse().map_err(|_| "not a number")?;
    ProjectId::new(id).map_err(|error| error.to_string())
}

/// A day of UTC.
pub fn day(text: &str) -> Result<Day, &'static str> {
    Day::parse(text).ok_or("not a day like 2026-11-21")
}

/// A moment, in any offset.
pub fn moment(text: &str) -> Result<Timestamp, &'static str> {
    let moment = serde_json::from_value(text.into());
    moment.map_err(|_| "not a moment like 2026-11-21T10:00:00Z")
}
