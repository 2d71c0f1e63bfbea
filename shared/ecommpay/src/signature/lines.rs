//! Makes the lines of a canonical string, and defines the order of the lines.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::Write as _;

use super::path_order;
use crate::json::{Member, Value};

/// Returns the canonical string of a message; `number` spells each number from its text.
pub(super) fn joined(message: &Value<'_>, number: fn(&str) -> Cow<'_, str>) -> Vec<u8> {
    Lines::of(message, number).join()
}

struct Lines {
    /// All lines, each as `path:value;`.
    text: String,
    lines: Vec<Line>,
    /// The path to the current value.
    path: String,
    /// Spells a number from its text.
    number: fn(&str) -> Cow<'_, str>,
    /// Whether the lines of `text` are already sorted. They are sorted if all names are plain: then the members of each
    /// object are sorted before their lines are written. The elements of an array are always in order.
    in_order: bool,
}

struct Line {
    start: usize,
    path_end: usize,
    end: usize,
}

impl Lines {
    fn of(message: &Value<'_>, number: fn(&str) -> Cow<'_, str>) -> Self {
        let mut lines = Self {
            // Most callbacks fit into these capacities without a reallocation.
            text: String::with_capacity(4096),
            lines: Vec::with_capacity(128),
            path: String::with_capacity(128),
            number,
            in_order: true,
        };
        lines.walk(message);
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
            Value::Null => self.line(""),
            Value::Bool(true) => self.line("1"),
            Value::Bool(false) => self.line("0"),
            Value::Number(token) => {
                let spelled = (self.number)(token);
                self.line(&spelled);
            }
            Value::String(text) => self.line(text),
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

    fn line(&mut self, value: &str) {
        let start = self.text.len();
        self.text.push_str(&self.path);
        let path_end = self.text.len();
        self.text.push(':');
        self.text.push_str(value);
        self.text.push(';');
        self.lines.push(Line {
            start,
            path_end,
            end: self.text.len(),
        });
    }

    fn join(mut self) -> Vec<u8> {
        if !self.in_order {
            self.text = self.sorted();
        }
        self.text.pop(); // the separator after the last line
        self.text.into_bytes()
    }

    /// Returns the text with its lines in natural order.
    fn sorted(&mut self) -> String {
        let part = |from: usize, to: usize| self.text.get(from..to).unwrap_or_default();
        let path = |line: &Line| part(line.start, line.path_end).as_bytes();
        // The sort is stable: lines with equal paths stay in the order of the message, as in PHP.
        self.lines
            .sort_by(|left, right| path_order::compare(path(left), path(right)));
        let mut sorted = String::with_capacity(self.text.len());
        for line in &self.lines {
            sorted.push_str(part(line.start, line.end));
        }
        sorted
    }
}

/// Compares the paths of two members of an object in which all names are plain. The first comparison has slices of
/// equal length, because such a comparison is fast and nearly always decides.
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
    use std::borrow::Cow;

    use crate::json::{Limits, parse};

    fn canonical(text: &str) -> String {
        let message = parse(text.as_bytes(), Limits::CALLBACK).unwrap();
        let string = super::joined(&message, |token| Cow::Borrowed(token));
        String::from_utf8(string).unwrap()
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
            // An empty name at the top level leaves no trace.
            (r#"{"b":2,"":{"b":1}}"#, "b:2;b:1"),
            (r#"{"":{"z":1},"b":2}"#, "b:2;z:1"),
            // PHP's SDK drops a `0` at the start of a path: `a:1`.
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
}
