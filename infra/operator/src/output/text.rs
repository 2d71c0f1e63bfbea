//! Formats ids, amounts and lists.

use std::fmt::{self, Display, Formatter};

pub use payments::escape::for_terminal as plain;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Text from a function, the platform or a file. `Display` escapes the text and writes it in one line.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Foreign(String);

impl Foreign {
    /// Returns the text without escapes, for comparisons only.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Returns the text with spaces instead of underscores.
    pub fn spaced(&self) -> Self {
        Self(self.0.replace('_', " "))
    }
}

impl From<&str> for Foreign {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Display for Foreign {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        to.write_str(&plain(&self.0))
    }
}

/// Formats a text. Without a text, returns `none`.
pub fn or_none(text: Option<&Foreign>) -> String {
    text.map_or("none".to_owned(), ToString::to_string)
}

/// Formats an amount in minor units. The tool knows only the number of decimals of EUR, but the platform can report any
/// currency. An amount in another currency is shown in minor units.
pub fn money(minor: u64, currency: &str) -> String {
    match currency {
        "EUR" => format!("{}.{:02} EUR", minor / 100, minor % 100),
        other => format!("{minor} minor units of {}", plain(other)),
    }
}

/// Returns the JSON name of a value, with spaces instead of underscores.
pub fn spaced(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => plain(&name.replace('_', " ")),
        _ => String::new(),
    }
}

/// Formats the types of published events as a list. Without an event, returns `none`.
pub fn events(types: &[Foreign]) -> String {
    let types: Vec<String> = types.iter().map(ToString::to_string).collect();
    match types.is_empty() {
        true => "none".to_owned(),
        false => types.join(", "),
    }
}

/// Formats ascending numbers as a list of ranges, such as `1 to 3, 5`.
pub fn ranges(numbers: impl IntoIterator<Item = u64>) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let texts = ranges.into_iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first} to {last}"),
    });
    texts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_shown_escaped_in_one_line() {
        let foreign = Foreign::from("order_1 é");
        assert_eq!(foreign.spaced().to_string(), "order 1 é");
        let foreign = Foreign::from("a\u{1b}[31m\nb\u{202e}");
        assert_eq!(foreign.to_string(), r"a\u{1b}[31m\nb\u{202e}");
        assert_eq!(events(&[foreign]), r"a\u{1b}[31m\nb\u{202e}");
    }

    #[test]
    fn euros_have_two_decimals_and_other_currencies_are_shown_in_minor_units() {
        assert_eq!(money(1005, "EUR"), "10.05 EUR");
        assert_eq!(money(7, "EUR"), "0.07 EUR");
        assert_eq!(money(500, "JPY"), "500 minor units of JPY");
    }

    #[test]
    fn consecutive_numbers_are_shown_as_a_range() {
        assert_eq!(ranges([]), "");
        assert_eq!(ranges([1, 2, 3, 5, 7, 8]), "1 to 3, 5, 7 to 8");
    }
}
