//! Reads settings from environment variables. An error names the variable and never shows its value.

use std::collections::BTreeSet;
use std::time::Duration;

use payments::events::EventKind;
use payments::model::Format;
use payments::model::schedule::Schedule;
use payments::model::webhook::{LoopbackHosts, RetrySchedule};
use payments::service::checkout::payment_page::PaymentPageSettings;
use serde::Deserialize;
use thiserror::Error;
use url::{Host, Url};

/// A variable is missing or invalid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the environment variable {name} {problem}")]
pub struct ConfigError {
    /// The name of the variable.
    pub name: &'static str,
    /// The end of the message, after the name of the variable.
    pub problem: &'static str,
}

/// Reads a variable that must be set and not empty.
pub fn required(name: &'static str) -> Result<String, ConfigError> {
    let problem = "is not set";
    optional(name).ok_or(ConfigError { name, problem })
}

/// Returns `None` if the variable is not set or is empty.
pub(crate) fn optional(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Reads a required variable. If `parse` returns `None`, returns an error with the text `problem`.
fn parsed<T>(
    name: &'static str,
    problem: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, ConfigError> {
    let value = required(name)?;
    parse(&value).ok_or(ConfigError { name, problem })
}

/// Reads a URL and removes the slashes at its end. Accepts http only for `localhost` and loopback addresses.
pub fn base_url(name: &'static str) -> Result<String, ConfigError> {
    parsed(name, "is not an https URL", |value| {
        let url = Url::parse(value).ok()?;
        let is_allowed = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
        is_allowed.then(|| value.trim_end_matches('/').to_owned())
    })
}

/// Reads a number of seconds, which can have a fraction.
pub fn seconds(name: &'static str) -> Result<Duration, ConfigError> {
    parsed(name, "is not a number of seconds", parse_seconds)
}

/// Reads a whole number of at least 1.
pub fn count(name: &'static str) -> Result<u64, ConfigError> {
    parsed(name, "is not a whole number of at least 1", |value| {
        value.parse().ok().filter(|count| *count > 0)
    })
}

/// Reads the format in which payments are stored.
pub fn document_format() -> Result<Format, ConfigError> {
    let number = count("DOCUMENT_FORMAT")?;
    Ok(Format::to_write(u32::try_from(number).unwrap_or(u32::MAX)))
}

/// Reads the minimum time between two requests of one execution to the Data API. If `RECONCILE_CONCURRENCY` executions
/// keep this minimum time, together they send at most `DATA_API_REQUESTS_PER_SECOND` requests. A concurrency of 0 means
/// that the number of executions is not limited. The minimum time is then 0.
pub fn data_api_pace() -> Result<Duration, ConfigError> {
    let concurrency = parsed("RECONCILE_CONCURRENCY", "is not a whole number", |value| {
        value.parse::<u32>().ok()
    })?;
    let per_second = parsed(
        "DATA_API_REQUESTS_PER_SECOND",
        "is not a whole number of at least 1",
        |value| value.parse::<u32>().ok().filter(|rate| *rate > 0),
    )?;
    Ok(Duration::from_secs(concurrency.into()) / per_second)
}

/// Reads the delays and limits that determine when the next action of a payment is due.
pub fn schedule() -> Result<Schedule, ConfigError> {
    let delays = |list: &str| list.split(',').map(parse_seconds).collect();
    Ok(Schedule {
        poll_delays: parsed("STATUS_POLL_DELAYS", "is not a list of seconds", delays)?,
        redirect_poll_delay: seconds("REDIRECT_POLL_DELAY_SECONDS")?,
        max_poll_age: seconds("STATUS_POLL_MAX_AGE_SECONDS")?,
        checkout_grace: seconds("CHECKOUT_GRACE_SECONDS")?,
        customer_retention: seconds("CUSTOMER_RETENTION_SECONDS")?,
    })
}

/// Reads the delays of the retries of events that an endpoint did not accept.
pub fn webhook_schedule() -> Result<RetrySchedule, ConfigError> {
    let delays = |list: &str| list.split(',').map(parse_seconds).collect();
    let delays = parsed("WEBHOOK_DELAYS", "is not a list of seconds", delays)?;
    Ok(RetrySchedule::new(delays))
}

/// Returns whether endpoints may have a loopback host. Only the sandbox sets the variable to `true`.
pub fn loopback_endpoints() -> Result<LoopbackHosts, ConfigError> {
    let problem = "is neither true nor false";
    parsed("WEBHOOK_ALLOW_LOOPBACK", problem, |value| match value {
        "true" => Some(LoopbackHosts::Allowed),
        "false" => Some(LoopbackHosts::Refused),
        _ => None,
    })
}

/// Reads the settings of Payment Page, which must match the settings at the platform.
pub fn payment_page() -> Result<PaymentPageSettings, ConfigError> {
    let languages = parsed(
        "PAYMENT_PAGE_LANGUAGES",
        "is not a list of languages, each of two letters",
        parse_languages,
    )?;
    let retries = parsed(
        "PAYMENT_PAGE_RETRIES",
        "is neither true nor false",
        |value| value.parse::<bool>().ok(),
    )?;
    Ok(PaymentPageSettings {
        languages,
        automatic_return: !retries,
    })
}

/// Parses a list like `en,fr,de`.
fn parse_languages(list: &str) -> Option<BTreeSet<String>> {
    let is_code =
        |code: &str| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_lowercase());
    let codes = list.split(',').map(str::trim);
    codes
        .map(|code| is_code(code).then(|| code.to_owned()))
        .collect()
}

fn parse_seconds(seconds: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds.trim().parse().ok()?).ok()
}

/// Returns whether the host of a URL is this machine. The sandbox uses such URLs.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// A queue with the kinds of events that it receives.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueConfig {
    /// The URL of the queue.
    pub url: String,
    /// If `None`, the queue receives every kind of event.
    pub types: Option<Vec<EventKind>>,
}

/// Reads the queues of `EVENT_QUEUES`: a JSON list of `{"url", "types"}`.
pub fn event_queues() -> Result<Vec<QueueConfig>, ConfigError> {
    parsed("EVENT_QUEUES", "is not a JSON list of queues", |value| {
        serde_json::from_str(value).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_a_comma_separated_list_of_two_letter_codes() {
        let expected = ["de", "en", "fr"].map(String::from).into();
        assert_eq!(parse_languages("en, fr,de"), Some(expected));
        for list in ["", "en,", "EN", "eng", "en;fr"] {
            assert_eq!(parse_languages(list), None, "{list}");
        }
    }
}
