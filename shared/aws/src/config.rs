//! Settings from environment variables; an error names the variable and never shows its value.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

use payments::events::EventKind;
use payments::model::schedule::Schedule;
use payments::service::checkout::payment_page::PaymentPageSettings;

/// A setting that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the environment variable {name} {problem}")]
pub struct ConfigError {
    /// The variable.
    pub name: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// The value of a variable that must be set.
pub fn required(name: &'static str) -> Result<String, ConfigError> {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => Ok(value),
        _ => Err(ConfigError {
            name,
            problem: "is not set",
        }),
    }
}

/// An address, without the slash at its end: https, or http on this machine only.
pub fn base_url(name: &'static str) -> Result<String, ConfigError> {
    let value = required(name)?;
    let problem = "is not an https address";
    let url = url::Url::parse(&value).map_err(|_| ConfigError { name, problem })?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        _ => return Err(ConfigError { name, problem }),
    }
    Ok(value.trim_end_matches('/').to_owned())
}

/// A number of seconds.
pub fn seconds(name: &'static str) -> Result<Duration, ConfigError> {
    let problem = "is not a number of seconds";
    fraction(&required(name)?).ok_or(ConfigError { name, problem })
}

/// When something is to be done about payments; in seconds, with fractions where tests divide them.
pub fn schedule() -> Result<Schedule, ConfigError> {
    let name = "STATUS_POLL_DELAYS";
    let pauses = required(name)?;
    let pauses: Option<Vec<Duration>> = pauses.split(',').map(fraction).collect();
    Ok(Schedule {
        poll_delays: pauses.ok_or(ConfigError {
            name,
            problem: "is not a list of seconds",
        })?,
        redirect_poll_delay: seconds("REDIRECT_POLL_DELAY_SECONDS")?,
        poll_until: seconds("STATUS_POLL_MAX_AGE_SECONDS")?,
        checkout_grace: seconds("CHECKOUT_GRACE_SECONDS")?,
        customer_retention: seconds("CUSTOMER_RETENTION_SECONDS")?,
    })
}

/// How the platform has set up Payment Page for the project.
pub fn payment_page() -> Result<PaymentPageSettings, ConfigError> {
    let name = "PAYMENT_PAGE_LANGUAGES";
    let languages = languages(&required(name)?).ok_or(ConfigError {
        name,
        problem: "is not a list of languages, each of two letters",
    })?;
    let name = "PAYMENT_PAGE_RETRIES";
    let retries = required(name)?.parse::<bool>();
    let retries = retries.map_err(|_| ConfigError {
        name,
        problem: "is neither true nor false",
    })?;
    Ok(PaymentPageSettings {
        languages,
        automatic_return: !retries,
    })
}

/// `en,fr,de`
fn languages(list: &str) -> Option<BTreeSet<String>> {
    let is_code =
        |code: &str| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_lowercase());
    let codes = list.split(',').map(str::trim);
    codes
        .map(|code| is_code(code).then(|| code.to_owned()))
        .collect()
}

fn fraction(seconds: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds.trim().parse().ok()?).ok()
}

/// Whether an address names this very machine, as in the sandbox.
pub fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// A queue and the events that it wants.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueConfig {
    /// Its address.
    pub url: String,
    /// The kinds it wants; absent means all.
    pub types: Option<Vec<EventKind>>,
}

/// The queues of `EVENT_QUEUES`: a JSON list of `{"url", "types"}`.
pub fn event_queues() -> Result<Vec<QueueConfig>, ConfigError> {
    let name = "EVENT_QUEUES";
    let value = required(name)?;
    serde_json::from_str(&value).map_err(|_| ConfigError {
        name,
        problem: "is not a JSON list of queues",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_a_list_of_codes() {
        let expected = ["de", "en", "fr"].map(String::from).into();
        assert_eq!(languages("en, fr,de"), Some(expected));
        for list in ["", "en,", "EN", "eng", "en;fr"] {
            assert_eq!(languages(list), None, "{list}");
        }
    }
}
