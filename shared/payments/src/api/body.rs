//! Reads the fields of a request body, and collects the problems of all invalid fields.

use std::net::IpAddr;

use ecommpay::fields::FieldError;
use ecommpay::json::{self, Limits, Value};

use super::problem::{FieldProblem, Problem};
use crate::model::ids::MerchantId;

/// The limits of a request body.
pub const LIMITS: Limits = Limits {
    bytes: 64 * 1024,
    depth: 8,
    keys: 100,
    ..Limits::CALLBACK
};

/// Parses a request body.
pub fn read(body: &[u8]) -> Result<Value<'_>, Problem> {
    read_within(body, LIMITS)
}

/// Parses a request body with other limits than [`LIMITS`].
pub fn read_within(body: &[u8], limits: Limits) -> Result<Value<'_>, Problem> {
    json::parse(body, limits).map_err(|error| {
        Problem::invalid(vec![FieldProblem {
            pointer: String::new(),
            code: "not-json",
            detail: error.to_string(),
        }])
    })
}

/// The fields of one object, and their problems.
#[derive(Debug)]
pub struct Fields<'a> {
    object: &'a Value<'a>,
    pointer: String,
    /// The names of the fields that were read.
    known: Vec<&'static str>,
    problems: Vec<FieldProblem>,
}

impl<'a> Fields<'a> {
    /// Reads the top level of a body.
    pub fn of(body: &'a Value<'a>) -> Self {
        Self::at(body, String::new())
    }

    fn at(object: &'a Value<'a>, pointer: String) -> Self {
        let mut fields = Self {
            object,
            pointer,
            known: Vec::new(),
            problems: Vec::new(),
        };
        if !matches!(object, Value::Object(_)) {
            let pointer = fields.pointer.clone();
            fields.problem(pointer, "not-an-object", "must be an object");
        }
        fields
    }

    fn problem(&mut self, pointer: String, code: &'static str, detail: impl Into<String>) {
        self.problems.push(FieldProblem {
            pointer,
            code,
            detail: detail.into(),
        });
    }

    /// Adds the problem of an invalid field.
    pub fn invalid(&mut self, name: &str, detail: impl Into<String>) {
        self.problem(pointer_to(&self.pointer, name), "invalid", detail);
    }

    fn value(&mut self, name: &'static str) -> Option<&'a Value<'a>> {
        self.known.push(name);
        self.object.get(name).filter(|value| **value != Value::Null)
    }

    /// Reads a field that can be absent or null.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&'a Value<'a>) -> Result<T, String>,
    ) -> Option<T> {
        match parse(self.value(name)?) {
            Ok(parsed) => Some(parsed),
            Err(detail) => {
                self.invalid(name, detail);
                None
            }
        }
    }

    /// Reads a field that must be present and not null.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&'a Value<'a>) -> Result<T, String>,
    ) -> Option<T> {
        if self
            .object
            .get(name)
            .is_none_or(|value| *value == Value::Null)
        {
            self.known.push(name);
            let pointer = pointer_to(&self.pointer, name);
            self.problem(pointer, "missing", "is required");
            return None;
        }
        self.optional(name, parse)
    }

    /// Reads an inner object that can be absent or null. The problems of the inner object are added to the problems of
    /// this object.
    pub fn object<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Fields<'a>) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(name)?;
        let mut inner = Fields::at(value, pointer_to(&self.pointer, name));
        let parsed = read(&mut inner);
        self.problems
            .extend(inner.finish().err().unwrap_or_default());
        parsed
    }

    /// Returns the problems as an error, if there are any. An unread field is also a problem, because a misspelt
    /// optional field must not be ignored.
    pub fn finish(mut self) -> Result<(), Vec<FieldProblem>> {
        for (name, _) in self.object.members() {
            if !self.known.iter().any(|known| known == name) {
                let pointer = pointer_to(&self.pointer, name);
                self.problem(pointer, "unknown", "is not a field of this request");
            }
        }
        match self.problems.is_empty() {
            true => Ok(()),
            false => Err(self.problems),
        }
    }
}

/// Returns the JSON pointer (RFC 6901) to a member of an object.
pub(super) fn pointer_to(object: &str, member: &str) -> String {
    let escaped = member.replace('~', "~0").replace('/', "~1");
    format!("{object}/{escaped}")
}

/// Reads a string.
pub fn text<'a>(value: &'a Value<'_>) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| "must be a string".to_owned())
}

/// Reads a string and parses it.
pub fn parsed<T>(
    parse: impl FnOnce(&str) -> Result<T, FieldError>,
) -> impl FnOnce(&Value<'_>) -> Result<T, String> {
    |value| parse(text(value)?).map_err(|error| error.to_string())
}

/// Reads a non-negative integer, without a fraction or an exponent.
pub fn integer(value: &Value<'_>) -> Result<u64, String> {
    match value {
        Value::Number(_) => value.as_u64(),
        _ => None,
    }
    .ok_or_else(|| "must be a non-negative integer".to_owned())
}

/// Reads an id that the merchant chose.
pub fn merchant_id(value: &Value<'_>) -> Result<MerchantId, String> {
    MerchantId::new(text(value)?).ok_or_else(|| "must match [A-Za-z0-9._-]{1,64}".to_owned())
}

/// Reads an IP address, and returns its canonical form.
pub fn ip_address(value: &Value<'_>) -> Result<ecommpay::fields::Text, String> {
    let address: IpAddr = text(value)?
        .parse()
        .map_err(|_| "must be an IP address".to_owned())?;
    ecommpay::fields::Text::new(address.to_string()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_invalid_field_is_named() {
        let body = br#"{"amount":10.5,"id":"a b","customer":{"ip":"x","nmae":1},"note":1}"#;
        let body = read(body).unwrap();
        let mut fields = Fields::of(&body);
        fields.required("amount", integer);
        fields.required("id", merchant_id);
        fields.required("currency", text);
        fields.object("customer", |customer| customer.required("ip", ip_address));
        let problems = fields.finish().unwrap_err();
        let named: Vec<(&str, &str)> = problems
            .iter()
            .map(|problem| (problem.pointer.as_str(), problem.code))
            .collect();
        assert_eq!(
            named,
            [
                ("/amount", "invalid"),
                ("/id", "invalid"),
                ("/currency", "missing"),
                ("/customer/ip", "invalid"),
                ("/customer/nmae", "unknown"),
                ("/note", "unknown"),
            ]
        );
    }

    #[test]
    fn an_integer_is_a_number_without_fraction_and_exponent() {
        for text in ["1000", "0"] {
            assert!(integer(&read(text.as_bytes()).unwrap()).is_ok(), "{text}");
        }
        for text in [
            "\"1000\"",
            "10.0",
            "1e3",
            "-1",
            "true",
            "99999999999999999999",
        ] {
            assert!(integer(&read(text.as_bytes()).unwrap()).is_err(), "{text}");
        }
    }
}
