//! Reads JSON into a tree that keeps numbers as text.
//!
//! A signature covers the text of the values, so the reader must not change them: `10.0` stays
//! `10.0` and an integer of any length stays exact. General parsers turn numbers into floats, keep
//! the last of two equal keys, or stop caring about depth; here each of those is refused with an
//! error of its own, before anything is hashed.

mod reader;

use std::borrow::Cow;

use thiserror::Error;

pub use reader::parse;

/// How large a message may be (`Limits::CALLBACK` is what the callback route promises).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole text.
    pub bytes: usize,
    /// Nested arrays and objects; a scalar at the top has depth 0.
    pub depth: usize,
    /// Keys of all objects together.
    pub keys: usize,
    /// Bytes of the message once it is flattened to lines of `path:value` for its signature: one
    /// long key above many values weighs as often as there are values.
    pub canonical: usize,
}

impl Limits {
    /// 256 KiB, 32 levels, 2,000 keys, 16 MiB when flattened.
    pub const CALLBACK: Limits = Limits {
        bytes: 256 * 1024,
        depth: 32,
        keys: 2_000,
        canonical: 16 * 1024 * 1024,
    };
    /// What is taken of the signed answers that we have asked for: a payment may have had hundreds
    /// of operations, and all are listed.
    pub const ANSWER: Limits = Limits {
        bytes: 4 * 1024 * 1024,
        keys: 100_000,
        ..Limits::CALLBACK
    };
}

/// Why a text was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum JsonError {
    /// More bytes than [`Limits::bytes`].
    #[error("the body is larger than the limit")]
    TooLarge,
    /// More nesting than [`Limits::depth`].
    #[error("the body is nested too deeply")]
    TooDeep,
    /// More keys than [`Limits::keys`].
    #[error("the body has too many keys")]
    TooManyKeys,
    /// More than [`Limits::canonical`] when flattened.
    #[error("the body is larger than the limit once its paths are spelled out")]
    CanonicalTooLarge,
    /// Two equal keys in one object: readers disagree on which one counts.
    #[error("an object has the same key twice")]
    DuplicateKey,
    /// Not UTF-8.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// Not JSON (RFC 8259).
    #[error("the body is not JSON (at byte {0})")]
    NotJson(usize),
    /// Something after the value.
    #[error("the body goes on after its end (at byte {0})")]
    TrailingData(usize),
}

/// A JSON value that borrows from the text it was read from.
///
/// Source: JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// The number as it was written.
    Number(&'a str),
    /// The decoded string.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object, in the order of the text.
    Object(Vec<Member<'a>>),
}

/// A key of an object and what stands under it.
pub type Member<'a> = (Cow<'a, str>, Value<'a>);

impl<'a> Value<'a> {
    /// The member `key` of an object.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        match self {
            Value::Object(members) => members
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The value at a path of object keys.
    pub fn at(&self, path: &[&str]) -> Option<&Value<'a>> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// A string, or a number's text: ids and codes come in both spellings.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            Value::Number(text) => Some(text),
            _ => None,
        }
    }

    /// The member `key` as [`Value::as_text`] gives it.
    pub fn text_at(&self, key: &str) -> Option<String> {
        self.get(key)?.as_text().map(str::to_owned)
    }

    /// A non-negative integer, written as a number or as a string of digits.
    pub fn as_u64(&self) -> Option<u64> {
        let text = self.as_text()?;
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse().ok() } else { None }
    }

    /// The elements of an array; none for anything else.
    pub fn elements(&self) -> &[Value<'a>] {
        match self {
            Value::Array(elements) => elements,
            _ => &[],
        }
    }

    /// The members of an object; none for anything else.
    pub fn members(&self) -> &[Member<'a>] {
        match self {
            Value::Object(members) => members,
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_from_numbers_and_digit_strings() {
        let text = br#"{"a":1000,"b":"1000","c":"1e3","d":-1,"e":10.0}"#;
        let value = parse(text, Limits::CALLBACK).unwrap();
        let integer = |key: &str| value.get(key).and_then(Value::as_u64);
        assert_eq!(integer("a"), Some(1000));
        assert_eq!(integer("b"), Some(1000));
        assert_eq!([integer("c"), integer("d"), integer("e")], [None; 3]);
    }
}
