//! Reads request bodies of storefronts, naming every bad field at once.

use std::net::IpAddr;

use ecommpay::fields::FieldError;
use ecommpay::json::{self, Limits, Value};

use crate::api::problem::{FieldProblem, Problem};
use crate::model::ids::MerchantId;

/// What a storefront may send in one body.
const LIMITS: Limits = Limits {
    bytes: 64 * 1024,
    depth: 8,
    keys: 100,
    ..Limits::CALLBACK
};

/// Reads a body of a storefront as JSON.
pub fn read(body: &[u8]) -> Result<Value<'_>, Problem> {
    json::parse(body, LIMITS).map_err(|error| {
        Problem::invalid(vec![FieldProblem {
            pointer: String::new(),
            code: "not-json",
            detail: error.to_string(),
        }])
    })
}

/// The fields of one object, with the problems found so far.
#[derive(Debug)]
pub struct Fields<'a> {
    object: &'a Value<'a>,
    /// The object's own pointer.
    at: String,
    known: Vec<&'static str>,
    problems: Vec<FieldProblem>,
}

impl<'a> Fields<'a> {
    /// The fields of the body's top level.
    pub fn of(body: &'a Value<'a>) -> Self {
        Self::below(body, String::new())
    }

    fn below(object: &'a Value<'a>, at: String) -> Self {
        let mut fields = Self {
            object,
            at,
            known: Vec::new(),
            problems: Vec::new(),
        };
        if !matches!(object, Value::Object(_)) {
            let pointer = fields.at.clone();
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

    /// Notes that a field is bad.
    pub fn bad(&mut self, name: &str, detail: impl Into<String>) {
        self.problem(format!("{}/{name}", self.at), "invalid", detail);
    }

    fn value(&mut self, name: &'static str) -> Option<&'a Value<'a>> {
        self.known.push(name);
        self.object.get(name).filter(|value| **value != Value::Null)
    }

    /// A field that may be absent.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&'a Value<'a>) -> Result<T, String>,
    ) -> Option<T> {
        match parse(self.value(name)?) {
            Ok(parsed) => Some(parsed),
            Err(detail) => {
                self.bad(name, detail);
                None
            }
        }
    }

    /// A field that must be there.
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
            self.problem(format!("{}/{name}", self.at), "missing", "is required");
            return None;
        }
        self.optional(name, parse)
    }

    /// An object inside this one; its problems become ours.
    pub fn object<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Fields<'a>) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(name)?;
        let mut inner = Fields::below(value, format!("{}/{name}", self.at));
        let parsed = read(&mut inner);
        self.problems
            .extend(inner.finish().err().unwrap_or_default());
        parsed
    }

    /// Refuses fields that nobody asked for: a misspelt optional field must not be ignored.
    pub fn finish(mut self) -> Result<(), Vec<FieldProblem>> {
        for (name, _) in self.object.members() {
            if !self.known.iter().any(|known| known == name) {
                let pointer = format!("{}/{}", self.at, name.replace('~', "~0").replace('/', "~1"));
                self.problem(pointer, "unknown", "is not a field of this request");
            }
        }
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(self.problems)
        }
    }
}

/// A string.
pub fn text<'a>(value: &'a Value<'_>) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| "must be a string".to_owned())
}

/// A string that `parse` takes.
pub fn parsed<T>(
    parse: impl FnOnce(&str) -> Result<T, FieldError>,
) -> impl FnOnce(&Value<'_>) -> Result<T, String> {
    |value| parse(text(value)?).map_err(|error| error.to_string())
}

/// An integer written as a number: no fraction, no exponent, no string.
pub fn integer(value: &Value<'_>) -> Result<u64, String> {
    match value {
        Value::Number(_) => value.as_u64(),
        _ => None,
    }
    .ok_or_else(|| "must be a non-negative integer".to_owned())
}

/// An id of ours.
pub fn merchant_id(value: &Value<'_>) -> Result<MerchantId, String> {
    MerchantId::new(text(value)?).ok_or_else(|| "must match [A-Za-z0-9._-]{1,64}".to_owned())
}

/// An IP address, in its usual spelling.
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
    fn every_bad_field_is_named_at_once() {
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
    fn integers_are_numbers_without_a_fraction() {
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
