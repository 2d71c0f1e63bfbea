//! How ids, amounts and answers are written for people.

use serde::Serialize;
use serde_json::Value;

/// A text that can do nothing to a terminal: ids of payments that were not created here can have any
/// form.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for one in text.chars() {
        match one.is_control() {
            true => plain.extend(one.escape_default()),
            false => plain.push(one),
        }
    }
    plain
}

/// An amount in minor units, of which all that we sell for has a hundred.
pub fn money(minor: u64, currency: &str) -> String {
    match currency {
        "EUR" => format!("{}.{:02} EUR", minor / 100, minor % 100),
        other => format!("{minor} minor units of {}", plain(other)),
    }
}

/// A value's name as JSON has it, with spaces.
pub fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => name.replace('_', " "),
        _ => String::new(),
    }
}

/// A text of an answer, or another one instead.
pub fn word(value: &Value, name: &str, instead: &str) -> String {
    let text = value.get(name).and_then(Value::as_str);
    plain(text.unwrap_or(instead))
}

/// A list of texts in an answer.
pub fn words(value: &Value, name: &str) -> Vec<String> {
    let list = value.get(name).and_then(Value::as_array);
    let texts = list.into_iter().flatten().filter_map(Value::as_str);
    texts.map(plain).collect()
}

/// The events that were sent, in a sentence's end.
pub fn events(value: &Value, name: &str) -> String {
    let events = words(value, name);
    match events.is_empty() {
        true => "no event".to_owned(),
        false => events.join(", "),
    }
}

/// Numbers in their order, as ranges.
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
    fn nothing_reaches_the_terminal_but_letters() {
        assert_eq!(plain("order-1 é"), "order-1 é");
        assert_eq!(plain("a\u{1b}[31m\nb"), "a\\u{1b}[31m\\nb");
    }

    #[test]
    fn money_is_written_as_people_write_it() {
        assert_eq!(money(1005, "EUR"), "10.05 EUR");
        assert_eq!(money(7, "EUR"), "0.07 EUR");
        assert_eq!(money(500, "JPY"), "500 minor units of JPY");
    }

    #[test]
    fn numbers_in_a_row_are_a_range() {
        assert_eq!(ranges([]), "");
        assert_eq!(ranges([1, 2, 3, 5, 7, 8]), "1 to 3, 5, 7 to 8");
    }
}
