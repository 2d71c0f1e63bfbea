//! Contains slow and simple reference models of the order of paths, the canonical string and the reader. The fuzz
//! targets use these models too.

use std::cmp::Ordering;

use ecommpay::json::{JsonError, Limits, Value};

/// A part of a path in the reference model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Byte(u8),
    Digits(Vec<u8>),
}

/// Splits a path into parts. Two paths compare part by part, and the path that ends first is smaller.
///
/// - A zero at the start of the path is dropped if a digit follows.
/// - One character of white space directly after a run of digits is a part. All other white space is dropped.
/// - Dropped white space at the end of the path counts as a zero byte.
pub fn parts(path: &[u8]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut digits: Vec<u8> = Vec::new();
    let mut in_zeros = true;
    let mut in_space = false;
    for (index, &byte) in path.iter().enumerate() {
        let digit_follows = path.get(index + 1).is_some_and(u8::is_ascii_digit);
        if in_zeros && byte == b'0' && digit_follows {
            continue;
        }
        in_zeros = false;
        let is_space = byte == b' ' || (9..=13).contains(&byte);
        if byte.is_ascii_digit() {
            digits.push(byte);
            in_space = false;
        } else if !digits.is_empty() {
            parts.push(Part::Digits(std::mem::take(&mut digits)));
            parts.push(Part::Byte(byte));
        } else if is_space {
            in_space = true;
        } else {
            parts.push(Part::Byte(byte));
            in_space = false;
        }
    }
    if !digits.is_empty() {
        parts.push(Part::Digits(digits));
    } else if in_space {
        parts.push(Part::Byte(0));
    }
    parts
}

impl Ord for Part {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Part::Byte(one), Part::Byte(other)) => one.cmp(other),
            (Part::Byte(byte), Part::Digits(digits)) => byte.cmp(&digits[0]),
            (Part::Digits(digits), Part::Byte(byte)) => digits[0].cmp(byte),
            (Part::Digits(one), Part::Digits(other)) => {
                let whole_numbers = one[0] != b'0' && other[0] != b'0';
                let longer = match whole_numbers {
                    true => one.len().cmp(&other.len()),
                    false => Ordering::Equal,
                };
                longer.then_with(|| one.cmp(other))
            }
        }
    }
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Returns the canonical string, built directly from the rules.
pub fn canonical(message: &Value<'_>) -> String {
    let mut lines = Vec::new();
    lines_of(message, "", &mut lines);
    lines.sort_by_key(|(path, _)| parts(path.as_bytes()));
    let lines: Vec<String> = lines
        .into_iter()
        .map(|(path, value)| format!("{path}:{value}"))
        .collect();
    lines.join(";")
}

fn lines_of(value: &Value<'_>, path: &str, lines: &mut Vec<(String, String)>) {
    let below = |name: &str| match path {
        "" => name.to_owned(),
        _ => format!("{path}:{name}"),
    };
    let text = match value {
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                lines_of(element, &below(&index.to_string()), lines);
            }
            return;
        }
        Value::Object(members) => {
            for (key, member) in members {
                if key != "signature" && key != "frame_mode" {
                    lines_of(member, &below(&key.replace(':', "::")), lines);
                }
            }
            return;
        }
        Value::Null => "",
        Value::Bool(true) => "1",
        Value::Bool(false) => "0",
        Value::Number(token) => token,
        Value::String(text) => text,
    };
    lines.push((path.to_owned(), text.to_owned()));
}

/// Checks the result of the reader against serde_json. Returns an error with both results if they contradict each
/// other.
pub fn judge(text: &[u8], ours: &Result<Value<'_>, JsonError>) -> Result<(), String> {
    let theirs = serde_json::from_slice::<serde_json::Value>(text);
    let limits = Limits::CALLBACK;
    let counts = Counts::of(text);
    let is_correct = match (ours, &theirs) {
        (Ok(ours), Ok(theirs)) => agree(ours, theirs),
        // serde_json refuses a number that is too large for a float. JSON has no such limit.
        (Ok(_), Err(error)) => error.to_string().starts_with("number out of range"),
        (Err(JsonError::NotJson(_) | JsonError::NotUtf8 | JsonError::TrailingData(_)), theirs) => {
            theirs.is_err()
        }
        (Err(JsonError::TooLarge), _) => text.len() > limits.bytes,
        (Err(JsonError::TooDeep), _) => counts.depth > limits.depth,
        (Err(JsonError::TooManyKeys), _) => counts.values > limits.keys,
        // serde_json keeps one of two equal keys.
        (Err(JsonError::DuplicateKey), Ok(theirs)) => counts.keys > keys_of(theirs),
        // The reader stops at the duplicate key, before the error that serde_json reports.
        (Err(JsonError::DuplicateKey), Err(_)) => true,
        (Err(JsonError::CanonicalTooLarge), _) => {
            text.len().pow(2) > limits.canonical_of(text.len())
        }
    };
    match is_correct {
        true => Ok(()),
        false => Err(format!("{ours:?}, but serde_json {theirs:?}")),
    }
}

/// The depth and the number of keys of a text, counted without parsing the text.
struct Counts {
    depth: usize,
    keys: usize,
    /// An upper bound of the number of members and elements. Each of them follows an opening bracket or a comma.
    values: usize,
}

impl Counts {
    fn of(text: &[u8]) -> Self {
        let (mut depth, mut keys, mut values, mut open) = (0, 0, 0, 0_usize);
        let mut bytes = text.iter();
        while let Some(byte) = bytes.next() {
            values += usize::from(matches!(byte, b'{' | b'[' | b','));
            match byte {
                b'{' | b'[' => open += 1,
                b'}' | b']' => open = open.saturating_sub(1),
                b':' => keys += 1,
                b'"' => {
                    while let Some(byte) = bytes.next().filter(|byte| **byte != b'"') {
                        if *byte == b'\\' {
                            bytes.next();
                        }
                    }
                }
                _ => {}
            }
            depth = depth.max(open);
        }
        Self {
            depth,
            keys,
            values,
        }
    }
}

fn keys_of(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(elements) => elements.iter().map(keys_of).sum(),
        serde_json::Value::Object(members) => {
            members.len() + members.values().map(keys_of).sum::<usize>()
        }
        _ => 0,
    }
}

/// Returns whether both readers returned the same value.
fn agree(ours: &Value<'_>, theirs: &serde_json::Value) -> bool {
    use serde_json::Value as Json;
    match (ours, theirs) {
        (Value::Null, Json::Null) => true,
        (Value::Bool(ours), Json::Bool(theirs)) => ours == theirs,
        (Value::Number(ours), Json::Number(theirs)) => {
            serde_json::from_str::<serde_json::Number>(ours).is_ok_and(|ours| ours == *theirs)
        }
        (Value::String(ours), Json::String(theirs)) => ours == theirs,
        (Value::Array(ours), Json::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(o, t)| agree(o, t))
        }
        (Value::Object(ours), Json::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .all(|(key, o)| theirs.get(key.as_ref()).is_some_and(|t| agree(o, t)))
        }
        _ => false,
    }
}
