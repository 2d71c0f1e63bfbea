//! The values that we put into signed messages, as types that cannot hold a wrong one.
//!
//! Lines of a signed message are joined with `;` and values are not escaped, so no text of ours
//! may contain `;` or a control character: two different messages could share one signature.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::lines::is_signed;

/// Why a value was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FieldError {
    /// Text without a character.
    #[error("must not be empty")]
    Empty,
    /// Fewer characters than the field needs.
    #[error("must have at least {0} characters")]
    TooShort(usize),
    /// More characters than the field takes.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// `;` or a control character.
    #[error("must not contain a semicolon or a control character")]
    ForbiddenCharacter,
    /// An amount below the method's minimum.
    #[error("must be at least {0} minor units")]
    AmountTooSmall(u64),
    /// An amount above the platform's maximum.
    #[error("must be at most {0} minor units")]
    AmountTooLarge(u64),
    /// A currency the method does not know.
    #[error("must be EUR")]
    Currency,
    /// A project number outside 1..=4294967295.
    #[error("must be a project number")]
    ProjectId,
    /// A method that is not ours.
    #[error("must be bancontact")]
    Method,
    /// Not of the form that the field has.
    #[error("must be {0}")]
    Form(&'static str),
}

/// A project's number, 1 to 4294967295.
///
/// Source: Gate API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProjectId(NonZeroU32);

impl ProjectId {
    /// Checks the range.
    pub fn new(number: u64) -> Result<Self, FieldError> {
        u32::try_from(number)
            .ok()
            .and_then(NonZeroU32::new)
            .map(Self)
            .ok_or(FieldError::ProjectId)
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The platform's name of the payment method, in paths and parameters.
///
/// Source: Bancontact, payments through Payment Page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Bancontact.
    Bancontact,
}

impl Method {
    /// Reads the platform's code of a method.
    pub fn parse(code: &str) -> Result<Self, FieldError> {
        match code {
            "bancontact" => Ok(Method::Bancontact),
            _ => Err(FieldError::Method),
        }
    }
}

/// Bancontact's only currency.
///
/// Source: Bancontact, overview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Currency {
    /// Euro; minor units are cents.
    #[serde(rename = "EUR")]
    Eur,
}

impl Currency {
    /// Reads an ISO 4217 code.
    pub fn parse(code: &str) -> Result<Self, FieldError> {
        match code {
            "EUR" => Ok(Currency::Eur),
            _ => Err(FieldError::Currency),
        }
    }

    /// The ISO 4217 code.
    pub fn code(self) -> &'static str {
        "EUR"
    }
}

/// An amount in minor units, 1 to 10^13.
///
/// Source: Gate API; Bancontact, overview, for the least amount and the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct MinorUnits(u64);

impl MinorUnits {
    /// The platform's upper bound.
    pub const MAX: u64 = 10_000_000_000_000;
    /// The least that Bancontact takes: 1.00 EUR.
    pub const BANCONTACT_MIN: u64 = 100;

    /// An amount of a refund: 1 to 10^13.
    pub fn new(amount: u64) -> Result<Self, FieldError> {
        Self::between(amount, 1)
    }

    /// An amount that Bancontact takes: 100 to 10^13.
    pub fn for_sale(amount: u64) -> Result<Self, FieldError> {
        Self::between(amount, Self::BANCONTACT_MIN)
    }

    fn between(amount: u64, least: u64) -> Result<Self, FieldError> {
        match amount {
            _ if amount < least => Err(FieldError::AmountTooSmall(least)),
            _ if amount > Self::MAX => Err(FieldError::AmountTooLarge(Self::MAX)),
            _ => Ok(Self(amount)),
        }
    }

    /// The number of minor units.
    pub fn get(self) -> u64 {
        self.0
    }

    /// Whether the Bancontact app (QR code) can pay this: below 500.00 EUR.
    pub fn app_payment_available(self) -> bool {
        self.0 < 50_000
    }
}

impl TryFrom<u64> for MinorUnits {
    type Error = FieldError;

    fn try_from(amount: u64) -> Result<Self, FieldError> {
        Self::new(amount)
    }
}

impl From<MinorUnits> for u64 {
    fn from(amount: MinorUnits) -> Self {
        amount.0
    }
}

impl fmt::Display for MinorUnits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Text that may be signed: 1 to 255 characters, no `;`, no control character.
///
/// Source: Gate API for the length, Signature for the characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text(String);

impl Text {
    /// The longest text that the platform takes in most fields.
    pub const MAX: usize = 255;

    /// Checks the characters and the length.
    pub fn new(text: impl Into<String>) -> Result<Self, FieldError> {
        Self::between(text.into(), 1, Self::MAX)
    }

    /// The same with a length of its own.
    fn between(text: String, least: usize, most: usize) -> Result<Self, FieldError> {
        let length = text.chars().count();
        if length == 0 {
            Err(FieldError::Empty)
        } else if text.chars().any(|c| c == ';' || c.is_control()) {
            Err(FieldError::ForbiddenCharacter)
        } else if length < least {
            Err(FieldError::TooShort(least))
        } else if length > most {
            Err(FieldError::TooLong(most))
        } else {
            Ok(Self(text))
        }
    }

    /// The text.
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

/// A name of a field: 1 to 64 letters, digits and `_`, and one that is signed.
///
/// Nothing else, as a colon at an end of a name merges with its neighbour's in a signed line, and
/// what is called `signature` or `frame_mode` gives no line.
///
/// Source: Signature.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct FieldName(String);

impl FieldName {
    /// Checks the characters and the length.
    pub fn new(name: impl Into<String>) -> Result<Self, FieldError> {
        let name = name.into();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        match name.len() {
            0 => Err(FieldError::Empty),
            _ if !is_signed(&name) => Err(FieldError::Form("a name of a field that is signed")),
            1..=64 if name.bytes().all(plain) => Ok(Self(name)),
            1..=64 => Err(FieldError::Form("a name of letters, digits and _")),
            _ => Err(FieldError::TooLong(64)),
        }
    }
}

/// A last name as Bancontact wants it: 3 to 100 characters. Debug does not show it.
///
/// Source: Bancontact, payments through Gate.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LastName(Text);

impl LastName {
    /// Checks the characters and the length.
    pub fn new(name: impl Into<String>) -> Result<Self, FieldError> {
        Text::between(name.into(), 3, 100).map(Self)
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
    fn amounts_keep_their_bounds() {
        assert_eq!(
            MinorUnits::for_sale(99),
            Err(FieldError::AmountTooSmall(100))
        );
        assert_eq!(MinorUnits::for_sale(100).map(MinorUnits::get), Ok(100));
        assert_eq!(MinorUnits::new(0), Err(FieldError::AmountTooSmall(1)));
        assert!(MinorUnits::new(MinorUnits::MAX).is_ok());
        assert!(MinorUnits::new(MinorUnits::MAX + 1).is_err());
        assert!(
            MinorUnits::for_sale(49_999)
                .unwrap()
                .app_payment_available()
        );
        assert!(
            !MinorUnits::for_sale(50_000)
                .unwrap()
                .app_payment_available()
        );
    }

    #[test]
    fn signed_text_cannot_hold_a_separator() {
        for text in ["a;b", "a\nb", "\u{0}", "\u{85}", ""] {
            assert!(Text::new(text).is_err(), "{text:?}");
        }
        assert!(Text::new("a:b \u{e9}").is_ok());
        assert!(Text::new("x".repeat(255)).is_ok());
        assert_eq!(Text::new("x".repeat(256)), Err(FieldError::TooLong(255)));
    }

    #[test]
    fn a_name_of_a_field_cannot_merge_with_its_neighbour() {
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

    #[test]
    fn what_is_read_back_is_checked_like_what_is_made() {
        fn read<T: serde::de::DeserializeOwned + Serialize>(json: &str) -> Option<String> {
            let value = serde_json::from_str::<T>(json).ok()?;
            Some(serde_json::to_string(&value).unwrap())
        }
        assert_eq!(read::<MinorUnits>("100").as_deref(), Some("100"));
        for amount in ["0", "-1", "10000000000001", "\"100\"", "1.0"] {
            assert_eq!(read::<MinorUnits>(amount), None, "{amount}");
        }
        assert_eq!(
            read::<LastName>("\"Janssens\"").as_deref(),
            Some("\"Janssens\"")
        );
        for name in ["\"Li\"", "\"a;bc\"", "7"] {
            assert_eq!(read::<LastName>(name), None, "{name}");
        }
        assert_eq!(read::<Text>("\"\""), None);
        assert_eq!(read::<ProjectId>("0"), None);
        assert_eq!(read::<Currency>("\"USD\""), None);
    }

    #[test]
    fn a_name_does_not_show_itself() {
        let name = LastName::new("Janssens").unwrap();
        assert_eq!(format!("{name:?}"), "LastName(hidden)");
    }

    #[test]
    fn last_names_have_three_to_hundred_characters() {
        assert_eq!(LastName::new("Li"), Err(FieldError::TooShort(3)));
        assert!(LastName::new("Li\u{e9}").is_ok());
        assert!(LastName::new("x".repeat(100)).is_ok());
        assert_eq!(
            LastName::new("x".repeat(101)),
            Err(FieldError::TooLong(100))
        );
    }

    #[test]
    fn only_bancontact_and_euro_are_known() {
        assert_eq!(Method::parse("bancontact"), Ok(Method::Bancontact));
        assert_eq!(Method::parse("card"), Err(FieldError::Method));
        assert_eq!(Currency::parse("EUR"), Ok(Currency::Eur));
        assert_eq!(Currency::parse("eur"), Err(FieldError::Currency));
    }

    #[test]
    fn project_numbers_fit_32_bits() {
        assert!(ProjectId::new(0).is_err());
        assert_eq!(
            ProjectId::new(4_294_967_295).map(ProjectId::get),
            Ok(u32::MAX)
        );
        assert!(ProjectId::new(4_294_967_296).is_err());
    }
}
