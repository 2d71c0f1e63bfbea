//! Makes the lines of a canonical string, and defines the order of the lines.

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::{path_order, php_number};
use crate::json::{Member, Value};

/// The canonical string must have this number of bytes for each fraction or exponent. Otherwise no number is converted,
/// because the conversion is slow. The limit does not affect the platform, because the platform sends only integers.
const BYTES_FOR_EACH_FRACTION: usize = 256;
/// A message can always have this number of fractions and exponents, even if its canonical string is short.
const FRACTIONS_OF_A_SHORT_MESSAGE: usize = 16;

/// The sorted lines of a message, with every number as it is written.
#[derive(Debug)]
pub(super) struct Lines {
    /// All lines, joined with `;`. While the lines are made, a `;` also follows the last line.
    text: String,
    lines: Vec<Line>,
    /// The path to the current value.
    path: String,
    /// Whether the lines are already in order. They are in order if all names are plain, because members with plain
    /// names are sorted before their lines are written.
    in_order: bool,
}

#[derive(Debug)]
struct Line {
    start: usize,
    path_end: usize,
    /// The end of the value. The separator follows.
    end: usize,
    is_fraction: bool,
}

impl Lines {
    pub(super) fn of(message: &Value<'_>) -> Self {
        let mut lines = Self {
            // Most callbacks fit into these capacities without a reallocation.
            text: String::with_capacity(4096),
            lines: Vec::with_capacity(128),
            path: String::with_capacity(128),
            in_order: true,
        };
        lines.walk(message);
        if !lines.in_order {
            lines.sort();
        }
        lines.text.pop(); // the separator after the last line
        lines
    }

    fn walk(&mut self, value: &Value<'_>) {
        match value {
            Value::Object(members) => {
                let mut signed: Vec<&Member<'_>> = Vec::with_capacity(members.len());
                signed.extend(members.iter().filter(|(key, _)| is_signed(key)));
                let is_plain = signed.iter().all(|(key, _)| path_order::is_plain_name(key));
                if is_plain {
                    signed.sort_by(|left, right| by_path(left, right));
                }
                self.in_order &= is_plain;
                for (key, member) in signed {
                    self.step(member, |path| match is_plain {
                        true => path.push_str(key), // a plain name has no colon to double
                        false => push_key(path, key),
                    });
                }
            }
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.step(element, |path| {
                        // Writing to a `String` cannot fail.
                        let _ = write!(path, "{index}");
                    });
                }
            }
            Value::Null => self.line("", false),
            Value::Bool(true) => self.line("1", false),
            Value::Bool(false) => self.line("0", false),
            Value::Number(token) => self.line(token, php_number::is_fraction(token)),
            Value::String(text) => self.line(text, false),
        }
    }

    fn step(&mut self, value: &Value<'_>, push_name: impl FnOnce(&mut String)) {
        let parent = self.path.len();
        if parent > 0 {
            self.path.push(':');
        }
        push_name(&mut self.path);
        self.walk(value);
        self.path.truncate(parent);
    }

    fn line(&mut self, value: &str, is_fraction: bool) {
        let start = self.text.len();
        self.text.push_str(&self.path);
        let path_end = self.text.len();
        self.text.push(':');
        self.text.push_str(value);
        let end = self.text.len();
        self.text.push(';');
        self.lines.push(Line {
            start,
            path_end,
            end,
            is_fraction,
        });
    }

    /// Sorts the lines in natural order. The paths of a forged message can be slow to compare. Therefore each path is
    /// first converted to a key that compares byte by byte.
    fn sort(&mut self) {
        let mut keys = Vec::with_capacity(self.text.len());
        let mut order = Vec::with_capacity(self.lines.len());
        for line in self.lines.drain(..) {
            let start = keys.len();
            let path = self.text.get(line.start..line.path_end);
            path_order::push_key(path.unwrap_or_default().as_bytes(), &mut keys);
            order.push((start..keys.len(), line));
        }
        // The sort is stable: lines with equal paths stay in the order of the message, as in PHP.
        order.sort_by(|(left, _), (right, _)| keys.get(left.clone()).cmp(&keys.get(right.clone())));
        let mut sorted = String::with_capacity(self.text.len());
        for (_, line) in order {
            let start = sorted.len();
            sorted.push_str(self.text.get(line.start..line.end).unwrap_or_default());
            sorted.push(';');
            self.lines.push(Line {
                start,
                path_end: start + line.path_end - line.start,
                end: start + line.end - line.start,
                is_fraction: line.is_fraction,
            });
        }
        self.text = sorted;
    }

    /// Returns the canonical string.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    pub(super) fn into_string(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    /// Returns the string of [`canonical_as_php`](super::canonical_as_php()). The order of the lines stays the same,
    /// because the paths do not change.
    pub(super) fn as_php(&self) -> Option<Vec<u8>> {
        let in_proportion = self.text.len() / BYTES_FOR_EACH_FRACTION;
        let mut left = in_proportion.max(FRACTIONS_OF_A_SHORT_MESSAGE);
        let mut string = String::new();
        let mut copied = 0;
        for line in self.lines.iter().filter(|line| line.is_fraction) {
            left = left.checked_sub(1)?;
            let value_start = line.path_end + 1;
            let token = self.text.get(value_start..line.end).unwrap_or_default();
            if let Some(spelled) = php_number::respelled(token) {
                string.push_str(self.text.get(copied..value_start).unwrap_or_default());
                string.push_str(&spelled);
                copied = line.end;
            }
        }
        if copied == 0 {
            return None;
        }
        string.push_str(self.text.get(copied..).unwrap_or_default());
        Some(string.into_bytes())
    }
}

/// Compares the paths of two members of an object with plain names. Slices of equal length are compared first, because
/// this comparison is fast and nearly always decides.
fn by_path((left_key, left): &Member<'_>, (right_key, right): &Member<'_>) -> Ordering {
    let (left_key, right_key) = (left_key.as_bytes(), right_key.as_bytes());
    let shared = left_key.len().min(right_key.len());
    let (left_start, left_rest) = left_key.split_at(shared);
    let (right_start, right_rest) = right_key.split_at(shared);
    left_start.cmp(right_start).then_with(|| {
        let left_rest = left_rest.iter().chain(after_key(left));
        left_rest.cmp(right_rest.iter().chain(after_key(right)))
    })
}

/// Returns the byte that follows the key of a value in the path, if there is one.
fn after_key(value: &Value<'_>) -> &'static [u8] {
    match value {
        Value::Array(_) | Value::Object(_) => b":",
        _ => b"",
    }
}

/// Returns whether the signature covers the value of a key.
pub(crate) fn is_signed(key: &str) -> bool {
    key != "signature" && key != "frame_mode"
}

fn push_key(path: &mut String, key: &str) {
    if !key.as_bytes().contains(&b':') {
        path.push_str(key);
        return;
    }
    for part in key.split_inclusive(':') {
        path.push_str(part);
        if part.ends_with(':') {
            path.push(':');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;
    use crate::json::{Limits, parse};

    fn canonical(text: &str) -> String {
        let message = parse(text.as_bytes(), Limits::CALLBACK).unwrap();
        String::from_utf8(Lines::of(&message).into_string()).unwrap()
    }

    #[test]
    fn lines_whose_paths_compare_equal_stay_in_the_order_of_the_message() {
        for (text, expected) in [
            (r#"{"a b":1,"ab":2}"#, "a b:1;ab:2"),
            (r#"{"ab":2,"a b":1}"#, "ab:2;a b:1"),
            (r#"{"007":1,"7":2}"#, "007:1;7:2"),
            (r#"{"7":2,"007":1}"#, "7:2;007:1"),
            (r#"{"a:":{"b":1},"a":{":b":2}}"#, "a:::b:1;a:::b:2"),
            (r#"{"a":{":b":2},"a:":{"b":1}}"#, "a:::b:2;a:::b:1"),
            // An empty name at the top level does not appear in the path.
            (r#"{"b":2,"":{"b":1}}"#, "b:2;b:1"),
            (r#"{"":{"z":1},"b":2}"#, "b:2;z:1"),
            // The PHP SDK drops a `0` at the start of a path, and makes the line `a:1`.
            (r#"{"0":{"a":1}}"#, "0:a:1"),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
        }
    }

    #[test]
    fn lines_are_sorted_by_their_whole_paths() {
        for (text, expected) in [
            (r#"{"sum_b":1,"sum":2,"sum-b":3}"#, "sum:2;sum-b:3;sum_b:1"),
            (
                r#"{"sum_b":1,"sum":{"b":2,"a":3},"sum-b":4}"#,
                "sum-b:4;sum:a:3;sum:b:2;sum_b:1",
            ),
            (
                r#"{"sum_b":1,"sum":[2],"sum-b":3}"#,
                "sum-b:3;sum:0:2;sum_b:1",
            ),
            (
                r#"{"b":[{"d":1,"c":2},3,[]],"a":{"z":{},"frame_mode":4},"ab":null}"#,
                "ab:;b:0:c:2;b:0:d:1;b:1:3",
            ),
            // Names that are not plain, below and above plain names.
            (
                r#"{"b":{"k10":1,"k9":2},"a":{"d":3,"c":4}}"#,
                "a:c:4;a:d:3;b:k9:2;b:k10:1",
            ),
            (
                r#"{"7":{"b":1,"a":2},"6":3,"007":{"ab":4,"a":5}}"#,
                "6:3;7:a:2;007:a:5;007:ab:4;7:b:1",
            ),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
        }
        let elements: Vec<String> = (0..12).map(|index| format!("{{\"a\":{index}}}")).collect();
        let text = format!("{{\"b\":[{}],\"a\":0}}", elements.join(","));
        let lines = (0..12).map(|index| format!(";b:{index}:a:{index}"));
        let expected = format!("a:0{}", lines.collect::<String>());
        assert_eq!(canonical(&text), expected);
    }

    #[test]
    fn only_the_written_form_of_numbers_is_tried_if_a_message_has_too_many_fractions() {
        let as_php = |fractions: usize, length: usize| {
            let elements = vec!["1.0"; fractions].join(",");
            let text = format!(r#"{{"a":"{}","b":[{elements}]}}"#, "x".repeat(length));
            let message = parse(text.as_bytes(), Limits::CALLBACK).unwrap();
            let lines = Lines::of(&message);
            (lines.as_bytes().len(), lines.as_php().is_some())
        };
        assert!(as_php(16, 0).1);
        assert!(!as_php(17, 0).1);
        let (short, _) = as_php(20, 0);
        assert_eq!(as_php(20, 20 * 256 - short), (20 * 256, true));
        assert_eq!(as_php(20, 20 * 256 - short - 1), (20 * 256 - 1, false));
    }
}
