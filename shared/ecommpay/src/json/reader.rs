//! Parses a text into a tree, within limits.
//!
//! Source ([list](crate::sources)): JSON.

use std::borrow::Cow;
use std::collections::HashSet;

use super::error::JsonError;
use super::limits::Limits;
use super::value::{Member, Value};

/// Reads one JSON text.
///
/// Fails if the text is not JSON, exceeds one of the `limits`, or has an object with two equal keys.
pub fn parse(text: &[u8], limits: Limits) -> Result<Value<'_>, JsonError> {
    if text.len() > limits.bytes {
        return Err(JsonError::TooLarge);
    }
    let text = std::str::from_utf8(text).map_err(|_| JsonError::NotUtf8)?;
    let mut reader = Reader {
        text,
        at: 0,
        depth_left: limits.depth,
        keys_left: limits.keys,
        canonical_left: limits.canonical_of(text.len()),
        path: 0,
    };
    reader.skip_space();
    let value = reader.value()?;
    reader.skip_space();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(JsonError::TrailingData(reader.at)),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth_left: usize,
    keys_left: usize,
    canonical_left: usize,
    /// The length in bytes of the path to the current value in the canonical string.
    path: usize,
}

/// In an object with more keys than this, a hash set finds a repeated key faster than pairwise comparison.
const FEW_KEYS: usize = 16;

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn not_json(&self) -> JsonError {
        JsonError::NotJson(self.at)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.not_json())
        }
    }

    /// Inlined, like `value_below` and `string`, because returning a value through several calls costs more time than
    /// reading the value.
    #[inline(always)]
    fn value(&mut self) -> Result<Value<'a>, JsonError> {
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => {
                let text = self.string()?;
                self.count_line(text.len())?;
                Ok(Value::String(text))
            }
            Some(b'-' | b'0'..=b'9') => {
                let token = self.number()?;
                self.count_line(token.len())?;
                Ok(Value::Number(token))
            }
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.not_json()),
        }
    }

    /// Subtracts one line of the canonical string from the limit: path, colon, value and separator. `true`, `false` and
    /// `null` count as values of one byte. An array or an object also counts as a value of one byte, because building
    /// its path takes time.
    fn count_line(&mut self, length: usize) -> Result<(), JsonError> {
        let line = self.path + length + 2;
        let left = self.canonical_left.checked_sub(line);
        self.canonical_left = left.ok_or(JsonError::CanonicalTooLarge)?;
        Ok(())
    }

    /// Reads a value below the current path. `name` is the length in bytes of the value's key or index.
    #[inline(always)]
    fn value_below(&mut self, name: usize) -> Result<Value<'a>, JsonError> {
        let parent = self.path;
        self.path += name + usize::from(parent > 0);
        let value = self.value()?;
        self.path = parent;
        Ok(value)
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, JsonError> {
        match self.text.get(self.at..self.at + word.len()) {
            Some(found) if found == word => {
                self.at += word.len();
                self.count_line(1)?;
                Ok(value)
            }
            _ => Err(self.not_json()),
        }
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Value<'a>, JsonError>,
    ) -> Result<Value<'a>, JsonError> {
        self.depth_left = self.depth_left.checked_sub(1).ok_or(JsonError::TooDeep)?;
        self.count_line(1)?;
        self.at += 1; // the bracket
        self.skip_space();
        let value = read(self)?;
        self.depth_left += 1;
        Ok(value)
    }

    fn count_item(&mut self) -> Result<(), JsonError> {
        let left = self.keys_left.checked_sub(1);
        self.keys_left = left.ok_or(JsonError::TooManyKeys)?;
        Ok(())
    }

    fn array(&mut self) -> Result<Value<'a>, JsonError> {
        let mut elements = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(elements));
        }
        loop {
            self.count_item()?;
            elements.push(self.value_below(digits_of(elements.len()))?);
            if self.end_of_item(b']')? {
                return Ok(Value::Array(elements));
            }
        }
    }

    fn object(&mut self) -> Result<Value<'a>, JsonError> {
        let mut members: Vec<Member<'a>> = Vec::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(members));
        }
        loop {
            self.count_item()?;
            let key = self.string()?;
            self.skip_space();
            self.expect(b':')?;
            self.skip_space();
            let value = self.value_below(escaped_length(&key))?;
            members.push((key, value));
            if self.end_of_item(b'}')? {
                return if has_duplicates(&members) {
                    Err(JsonError::DuplicateKey)
                } else {
                    Ok(Value::Object(members))
                };
            }
        }
    }

    /// Reads the byte after an element or a member. Returns `true` for the closing bracket, and `false` for a comma.
    fn end_of_item(&mut self, close: u8) -> Result<bool, JsonError> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_space();
                Ok(false)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(self.not_json()),
        }
    }

    fn number(&mut self) -> Result<&'a str, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let first = self.at;
        let has_leading_zero = self.peek() == Some(b'0');
        self.digits()?;
        if has_leading_zero && self.at > first + 1 {
            return Err(JsonError::NotJson(first));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        self.text.get(start..self.at).ok_or(self.not_json())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            Err(self.not_json())
        } else {
            Ok(())
        }
    }

    #[inline(always)]
    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.expect(b'"')?;
        let plain = self.plain_run()?;
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(plain));
        }
        self.escaped(plain).map(Cow::Owned)
    }

    /// Reads the rest of a string, starting at the first escape. `plain` is the text before this escape.
    fn escaped(&mut self, plain: &str) -> Result<String, JsonError> {
        let mut decoded = String::from(plain);
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(decoded);
                }
                Some(b'\\') => {
                    self.at += 1;
                    let character = self.escape()?;
                    decoded.push(character);
                }
                _ => decoded.push_str(self.plain_run()?),
            }
        }
    }

    /// Reads characters up to the next quote or backslash. Fails at a control character that is not escaped.
    fn plain_run(&mut self) -> Result<&'a str, JsonError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let special = |byte: u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        let length = rest.bytes().position(special).unwrap_or(rest.len());
        self.at += length;
        match self.peek() {
            Some(b'"' | b'\\') => rest.get(..length).ok_or(self.not_json()),
            _ => Err(self.not_json()),
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let byte = self.peek().ok_or(self.not_json())?;
        self.at += 1;
        Ok(match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(self.not_json()),
        })
    }

    /// Reads `XXXX` after `\u`, and the second half of a surrogate pair. Refuses half a pair, which is no character.
    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let first = self.hex4()?;
        let code = match first {
            0xD800..=0xDBFF => {
                self.expect(b'\\')?;
                self.expect(b'u')?;
                let second = self.hex4()?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return Err(self.not_json());
                }
                0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            other => other,
        };
        char::from_u32(code).ok_or(self.not_json())
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(self.not_json())?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(self.not_json());
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| self.not_json())
    }
}

fn digits_of(index: usize) -> usize {
    index
        .checked_ilog10()
        .map_or(1, |log| 1 + usize::try_from(log).unwrap_or_default())
}

/// Returns the length of a key in a path, in which each colon of a key is doubled.
fn escaped_length(key: &str) -> usize {
    key.len() + key.bytes().filter(|byte| *byte == b':').count()
}

fn has_duplicates(members: &[Member<'_>]) -> bool {
    if members.len() > FEW_KEYS {
        let mut seen = HashSet::with_capacity(members.len());
        return !members.iter().all(|(key, _)| seen.insert(key.as_ref()));
    }
    // Compares from the end, because keys of one object often share their beginning and rarely their end.
    let is_same = |left: &str, right: &str| left.bytes().rev().eq(right.bytes().rev());
    members.iter().enumerate().any(|(index, (key, _))| {
        let mut before = members.iter().take(index);
        before.any(|(other, _)| is_same(other, key))
    })
}
