//! Writes and reads ids in the paths of URLs.
//!
//! The id of an external payment can have any characters. Gateways and clients change some characters of a path, such
//! as a slash or a percent sign, and the segments `.` and `..`. Therefore an id that a path cannot contain unchanged is
//! written as `~` and its base64url without padding. The operator's tool accepts the same form, because a terminal
//! cannot show every character.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

use super::ids::PaymentKey;

const ENCODED: char = '~';

/// The text starts with `~`, but is not an encoded id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "starts with `~`, so it must be `~` and the base64url (without padding) of an id of 1 to {} characters in UTF-8",
    PaymentKey::MAX_ID_LENGTH
)]
pub struct InvalidPathId;

/// Returns the id if a path can contain it unchanged, or else the encoded id.
pub fn to_path(id: &str) -> Cow<'_, str> {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    match id.bytes().all(is_safe) && !matches!(id, "" | "." | "..") {
        true => id.into(),
        false => format!("{ENCODED}{}", URL_SAFE_NO_PAD.encode(id)).into(),
    }
}

/// Returns the id in a segment of a path. The gateway has already decoded percent signs.
pub fn from_path(segment: &str) -> Result<Cow<'_, str>, InvalidPathId> {
    let Some(encoded) = segment.strip_prefix(ENCODED) else {
        return Ok(segment.into());
    };
    let decoded = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| InvalidPathId)?;
    let id = String::from_utf8(decoded).map_err(|_| InvalidPathId)?;
    match PaymentKey::is_allowed_length(&id) {
        true => Ok(id.into()),
        false => Err(InvalidPathId),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_encoded_in_a_path_if_the_path_cannot_carry_it() {
        for (id, segment) in [
            ("Order_1001-1.a", "Order_1001-1.a"),
            ("...", "..."),
            (".", "~Lg"),
            ("..", "~Li4"),
            ("a/b", "~YS9i"),
            ("100%", "~MTAwJQ"),
            ("%2F", "~JTJG"),
            ("a b", "~YSBi"),
            ("a?b#c", "~YT9iI2M"),
            ("~order", "~fm9yZGVy"),
            ("\u{e9}\u{0}", "~w6kA"),
        ] {
            assert_eq!(to_path(id), segment);
            assert_eq!(from_path(segment).as_deref(), Ok(id), "{segment}");
        }
        let longest = "\u{10ffff}".repeat(PaymentKey::MAX_ID_LENGTH);
        let segment = to_path(&longest).into_owned();
        assert_eq!(from_path(&segment).as_deref(), Ok(longest.as_str()));
    }

    #[test]
    fn an_encoded_id_is_refused_if_it_is_not_the_base64url_of_an_id() {
        let long = format!("~{}", URL_SAFE_NO_PAD.encode("x".repeat(256)));
        for segment in [
            "~", "~=", "~Lg==", "~YS9", "~YS9j=", "~a+/b", "~YS 9i", "~_w", "~Lh", "~~", &long,
        ] {
            assert_eq!(from_path(segment), Err(InvalidPathId), "{segment}");
        }
    }
}
