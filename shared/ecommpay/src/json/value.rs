//! Defines the tree that the reader returns.
//!
//! Source ([list](crate::sources)): JSON.

use std::borrow::Cow;

/// A JSON value, which borrows from the text that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// The number as it is written.
    Number(&'a str),
    /// The string, with its escapes decoded.
    String(Cow<'a, str>),
    /// The elements.
    Array(Vec<Value<'a>>),
    /// The members in the order of the text.
    Object(Vec<Member<'a>>),
}

/// A key of an object and its value.
pub type Member<'a> = (Cow<'a, str>, Value<'a>);

impl<'a> Value<'a> {
    /// Returns the member `key` of an object; `None` for every other value.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        match self {
            Value::Object(members) => members
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// Returns the value at a path of object keys.
    pub fn at(&self, path: &[&str]) -> Option<&Value<'a>> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// Returns the text of a string; `None` for every other value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the text of a string or of a number; `None` for every other value. The platform writes ids and codes in
    /// both forms.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            Value::Number(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the member `key` as [`Value::as_text`] reads it.
    pub fn text_at(&self, key: &str) -> Option<String> {
        self.get(key)?.as_text().map(str::to_owned)
    }

    /// Returns the id in the member `key`; `None` if the id is empty or blank.
    pub fn id_at(&self, key: &str) -> Option<String> {
        self.text_at(key).filter(|id| !id.trim().is_empty())
    }

    /// Returns an unsigned integer, written as a number or as a string of digits; `None` for every other value.
    pub fn as_u64(&self) -> Option<u64> {
        let text = self.as_text()?;
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse().ok() } else { None }
    }

    /// Returns the elements of an array; an empty slice for every other value.
    pub fn elements(&self) -> &[Value<'a>] {
        match self {
            Value::Array(elements) => elements,
            _ => &[],
        }
    }

    /// Returns the members of an object; an empty slice for every other value.
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
    fn an_integer_is_read_from_a_number_or_a_string_of_digits() {
        for (value, integer) in [
            (Value::Number("1000"), Some(1000)),
            (Value::String("1000".into()), Some(1000)),
            (Value::String("1e3".into()), None),
            (Value::String("".into()), None),
            (Value::Number("-1"), None),
            (Value::Number("10.0"), None),
            (Value::Bool(true), None),
        ] {
            assert_eq!(value.as_u64(), integer, "{value:?}");
        }
    }
}
