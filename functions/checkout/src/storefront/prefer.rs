//! Reads the header `Prefer: wait=N` (RFC 7240).

use std::time::Duration;

use lambda_http::http::HeaderMap;

/// The longest wait, in seconds. A longer preferred wait is reduced to this number.
const MAX_WAIT: u64 = 10;

/// Returns how long the caller is ready to wait for the redirect URL, or `None` without a valid preference.
pub(super) fn preferred_wait(headers: &HeaderMap) -> Option<Duration> {
    let preferences = headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok());
    let seconds = preferences
        .flat_map(|value| value.split([',', ';']))
        .find_map(|preference| {
            preference
                .trim()
                .strip_prefix("wait=")?
                .trim()
                .parse::<u64>()
                .ok()
        })?;
    Some(Duration::from_secs(seconds.min(MAX_WAIT)))
}

#[cfg(test)]
mod tests {
    use lambda_http::http::HeaderValue;

    use super::*;

    #[test]
    fn a_preferred_wait_is_read_and_limited_to_ten_seconds() {
        let wait = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("prefer", HeaderValue::from_static(value));
            preferred_wait(&headers).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("wait=3"), Some(3));
        assert_eq!(wait("respond-async, wait=60"), Some(10));
        assert_eq!(wait("return=minimal"), None);
        assert_eq!(wait("wait=soon"), None);
        assert_eq!(preferred_wait(&HeaderMap::new()), None);
    }
}
