//! Defines names of fields that the merchant fills in.
//!
//! Source ([list](crate::sources)): Signature.

use serde::Serialize;

use super::error::FieldError;
use crate::signature::is_signed;

/// The name of a field: 1 to 64 letters, digits and `_`. The names `signature` and `frame_mode` are refused, because
/// the signature leaves them out.
///
/// A colon is refused, because the signature would not distinguish `a:` with the value `b` from `a` with the value
/// `:b`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct FieldName(String);

impl FieldName {
    /// Checks the characters and the length.
    pub fn new(name: impl Into<String>) -> Result<Self, FieldError> {
        let name = name.into();
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        match name.len() {
            0 => Err(FieldError::Empty),
            _ if !is_signed(&name) => Err(FieldError::Form("a name that the signature covers")),
            1..=64 if name.bytes().all(is_allowed) => Ok(Self(name)),
            1..=64 => Err(FieldError::Form("a name of letters, digits and _")),
            _ => Err(FieldError::TooLong(64)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_refused_if_it_has_a_separator_or_the_signature_leaves_it_out() {
        for name in ["last_name", "a", &"x".repeat(64)] {
            assert!(FieldName::new(name).is_ok(), "{name}");
        }
        for name in ["", "a:", ":a", "a;b", "a b", "\u{e9}", &"x".repeat(65)] {
            assert!(FieldName::new(name).is_err(), "{name}");
        }
        for unsigned in ["signature", "frame_mode"] {
            assert!(FieldName::new(unsigned).is_err(), "{unsigned}");
        }
    }
}
