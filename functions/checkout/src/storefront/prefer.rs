//! Reads the preference `wait` of the header `Prefer` (RFC 7240).

use std::time::Duration;

use lambda_http::http::{HeaderMap, HeaderValue};

/// The maximum wait, in seconds. A longer preferred wait counts as this number.
const MAX_WAIT: u64 = 10;

/// Returns how long the request can wait for the redirect URL, counted from the arrival of the request. Returns `None`
/// without a valid preference. Only the first preference with the name `wait` counts.
pub(super) fn preferred_wait(headers: &HeaderMap) -> Option<Duration> {
    let lines = headers.get_all("prefer").iter().map(HeaderValue::as_bytes);
    let lines: Vec<_> = lines.map(String::from_utf8_lossy).collect();
    let preferences = lines.iter().flat_map(|line| split(line, ','));
    let seconds = preferences
        // The parameters of a preference follow after semicolons. The preference `wait` has no defined parameters.
        .filter_map(|preference| split(preference, ';').next())
        .map(|preference| preference.split_once('=').unwrap_or((preference, "")))
        .find_map(|(name, value)| {
            let is_wait = name.trim().eq_ignore_ascii_case("wait");
            is_wait.then(|| unquoted(value.trim()))
        })?;
    let is_number = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
    // If the number is too large for `u64`, it is also above the maximum.
    let seconds = is_number.then(|| seconds.parse().unwrap_or(MAX_WAIT))?;
    Some(Duration::from_secs(seconds.min(MAX_WAIT)))
}

/// Splits a text at a separator, but not within quoted strings.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |character| {
        let is_plain = !is_escaped;
        is_escaped = is_plain && is_quoted && character == '\\';
        is_quoted ^= is_plain && character == '"';
        character == separator && !is_quoted
    })
}

/// Returns the content of a quoted string. Returns any other text unchanged.
fn unquoted(value: &str) -> String {
    let content = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    content.map_or_else(|| value.to_owned(), |content| content.replace('\\', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(lines: &[&str]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for line in lines {
            let value = HeaderValue::from_bytes(line.as_bytes()).unwrap();
            headers.append("Prefer", value);
        }
        preferred_wait(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn a_preferred_wait_is_read_in_every_spelling_and_limited_to_ten_seconds() {
        for (line, expected) in [
            ("wait=3", Some(3)),
            ("Wait=3", Some(3)),
            ("WAIT = 3", Some(3)),
            ("wait\t=\t3\t", Some(3)),
            ("wait=\"3\"", Some(3)),
            ("wait = \"\\3\"", Some(3)),
            ("wait=003", Some(3)),
            ("wait=0", Some(0)),
            ("wait=10", Some(10)),
            ("wait=60", Some(10)),
            ("wait=99999999999999999999999", Some(10)),
            ("respond-async, wait=3", Some(3)),
            ("respond-async,wait=3", Some(3)),
            (",, wait=3 ,", Some(3)),
            ("respond-async; foo=bar, wait=3; baz", Some(3)),
            ("wait=3 ; ; foo=\"a;b\"", Some(3)),
            ("x=\"a, wait=9\", wait=3", Some(3)),
            ("x=\"a\\\", wait=9\", wait=3", Some(3)),
            ("x=caf\u{e9}, wait=3", Some(3)),
            ("wait=3, wait=5", Some(3)),
            ("wait=3, Wait=soon", Some(3)),
        ] {
            assert_eq!(wait(&[line]), expected, "{line}");
        }
    }

    #[test]
    fn an_invalid_preferred_wait_is_ignored() {
        for line in [
            "",
            "return=minimal",
            "wait",
            "wait=",
            "wait=\"\"",
            "wait=soon",
            "wait=-1",
            "wait=+1",
            "wait=1.5",
            "wait=1 2",
            "wait=\"3",
            "wait=\u{663}",
            "waits=3",
            "x-wait=3",
            "foo; wait=3",
            "x=\"wait=3, wait=4\"",
            "x=\"open, wait=3",
            // The first preference counts, even if it is invalid.
            "wait=soon, wait=5",
            "wait, wait=5",
        ] {
            assert_eq!(wait(&[line]), None, "{line}");
        }
    }

    #[test]
    fn the_first_of_several_headers_with_a_wait_counts() {
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&["respond-async", "wait=4", "wait=5"]), Some(4));
        assert_eq!(wait(&["x=\"open", "wait=4"]), Some(4));
    }
}
