//! Defines text that is safe to sign.
//!
//! Sources ([list](crate::sources)): Bancontact; Gate API; Signature.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::error::FieldError;

/// Text that is safe to sign: 1 to 255 characters, no `;`, no control character.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text(String);

impl Text {
    /// The maximum length in characters, which is the platform's maximum for most fields.
    pub const MAX: usize = 255;

    /// Checks the characters and the length.
    pub fn new(text: impl Into<String>) -> Result<Self, FieldError> {
        Self::between(1, Self::MAX, text.into())
    }

    fn between(min: usize, max: usize, text: String) -> Result<Self, FieldError> {
        let length = text.chars().count();
        if length == 0 {
            Err(FieldError::Empty)
        } else if text.chars().any(|c| c == ';' || c.is_control()) {
            Err(FieldError::ForbiddenCharacter)
        } else if length < min {
            Err(FieldError::TooShort(min))
        } else if length > max {
            Err(FieldError::TooLong(max))
        } else {
            Ok(Self(text))
        }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Text {
    type Error = FieldError;

    fn try_from(text: String) -> Result<Self, FieldError> {
        Self::new(text)
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

/// A last name in the form that Bancontact requires: 3 to 100 characters. `Debug` hides the name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LastName(Text);

impl LastName {
    /// Checks the characters and the length.
    pub fn new(name: impl Into<String>) -> Result<Self, FieldError> {
        Text::between(3, 100, name.into()).map(Self)
    }
}

impl TryFrom<String> for LastName {
    type Error = FieldError;

    fn try_from(name: String) -> Result<Self, FieldError> {
        Self::new(name)
    }
}

impl From<LastName> for String {
    fn from(name: LastName) -> Self {
        name.0.into()
    }
}

impl fmt::Debug for LastName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LastName(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_refused_if_it_is_empty_too_long_or_has_a_forbidden_character() {
        for text in ["a;b", "a\nb", "\u{0}", "\u{85}", ""] {
            assert!(Text::new(text).is_err(), "{text:?}");
        }
        assert!(Text::new("a:b \u{e9}").is_ok());
        assert!(Text::new("x".repeat(255)).is_ok());
        assert_eq!(Text::new("x".repeat(256)), Err(FieldError::TooLong(255)));
    }

    #[test]
    fn a_last_name_has_3_to_100_characters() {
        assert_eq!(LastName::new("Li"), Err(FieldError::TooShort(3)));
        assert!(LastName::new("Li\u{e9}").is_ok());
        assert!(LastName::new("x".repeat(100)).is_ok());
        assert_eq!(
            LastName::new("x".repeat(101)),
            Err(FieldError::TooLong(100))
        );
    }

    #[test]
    fn a_last_name_is_hidden_in_debug() {
        let name = LastName::new("Janssens").unwrap();
        assert_eq!(format!("{name:?}"), "LastName(hidden)");
    }
}
