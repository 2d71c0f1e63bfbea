//! Formats ids, amounts and lists.

use serde::Serialize;
use serde_json::Value;

/// Escapes control characters, because the id of an external payment can be any text, also commands for a terminal.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character.is_control() {
            true => plain.extend(character.escape_default()),
            false => plain.push(character),
        }
    }
    plain
}

/// Formats an amount in minor units. Orders are in EUR only, but the platform can report any other currency. The tool
/// does not know how many decimals another currency has, and writes the minor units.
pub fn money(minor: u64, currency: &str) -> String {
    match currency {
        "EUR" => format!("{}.{:02} EUR", minor / 100, minor % 100),
        other => format!("{minor} minor units of {}", plain(other)),
    }
}

/// Returns a value's JSON name, with spaces instead of underscores.
pub fn spaced(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => plain(&name.replace('_', " ")),
        _ => String::new(),
    }
}

/// Formats the types of published events as a list.
pub fn events(types: &[String]) -> String {
    let types: Vec<String> = types.iter().map(|kind| plain(kind)).collect();
    match types.is_empty() {
        true => "none".to_owned(),
        false => types.join(", "),
    }
}

/// Formats ascending numbers as a list of ranges.
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
    fn control_characters_are_escaped() {
        assert_eq!(plain("order-1 é"), "order-1 é");
        assert_eq!(plain("a\u{1b}[31m\nb"), "a\\u{1b}[31m\\nb");
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
