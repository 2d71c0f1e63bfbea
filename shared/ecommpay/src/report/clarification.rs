//! The fields that the platform asks for in a clarification.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::json::Value;

/// A field that the platform asks for.
///
/// Source: Gate, clarification.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClarificationField {
    /// The platform's name of it, as `object.field`.
    pub name: String,
    /// Whether it must be filled in. The list form and a schema that requires none by name say nothing
    /// about that, so all of their fields must be.
    pub required: bool,
}

/// List form `{"customer":["last_name"]}`, where an entry can be an object of such lists, or schema
/// form `{"customer":{"type":"object","required":["last_name"],"properties":{"last_name":{}}}}`. A
/// field that is named twice is asked for once.
///
/// The signature covers neither an empty `required` nor a property with an empty description. So an
/// empty `required` means the same as none, and a required field needs no property.
pub(super) fn fields(value: &Value<'_>) -> Vec<ClarificationField> {
    let mut asked = PollResult::default();
    asked.read("", value);
    asked.fields
}

/// The fields in the order of the message.
#[derive(Default)]
struct PollResult {
    fields: Vec<ClarificationField>,
    places: HashMap<String, usize>,
}

impl PollResult {
    fn read(&mut self, path: &str, value: &Value<'_>) {
        for (name, fields) in value.members() {
            let path = format!("{path}{name}.");
            for field in fields.elements() {
                match field.as_str() {
                    Some(field) => self.add(format!("{path}{field}"), true),
                    None => self.read(&path, field),
                }
            }
            self.read_schema(&path, fields);
        }
    }

    fn read_schema(&mut self, path: &str, schema: &Value<'_>) {
        let names = schema.get("required").map(Value::elements);
        let names = names.unwrap_or_default().iter().filter_map(Value::as_str);
        let required: HashSet<&str> = names.clone().collect();
        let described = schema.get("properties").map(Value::members);
        for (field, _) in described.unwrap_or_default() {
            let is_required = required.is_empty() || required.contains(field.as_ref());
            self.add(format!("{path}{field}"), is_required);
        }
        for field in names {
            self.add(format!("{path}{field}"), true);
        }
    }

    fn add(&mut self, name: String, required: bool) {
        let next = self.fields.len();
        let place = *self.places.entry(name.clone()).or_insert(next);
        match self.fields.get_mut(place) {
            Some(known) => known.required |= required,
            None => self.fields.push(ClarificationField { name, required }),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::json::{Limits, parse};

    #[test]
    fn a_schema_says_which_fields_are_required() {
        let asked = |fields: &str| {
            let message = parse(fields.as_bytes(), Limits::CALLBACK).unwrap();
            let fields = super::fields(&message).into_iter();
            fields
                .map(|field| (field.name, field.required))
                .collect::<Vec<_>>()
        };
        let expected = |fields: &[(&str, bool)]| {
            let fields = fields.iter();
            fields
                .map(|(name, required)| (String::from(*name), *required))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            asked(
                r#"{"customer":{"type":"object","required":["last_name"],"properties":{"last_name":{},"email":{}}}}"#
            ),
            expected(&[("customer.last_name", true), ("customer.email", false)])
        );
        // The signature sees no difference between these.
        for required in ["", r#""required":[],"#] {
            assert_eq!(
                asked(&format!(
                    r#"{{"customer":{{{required}"properties":{{"email":{{}}}}}}}}"#
                )),
                expected(&[("customer.email", true)])
            );
        }
        assert_eq!(
            asked(r#"{"customer":{"required":["last_name"],"properties":{"email":{}}}}"#),
            expected(&[("customer.email", false), ("customer.last_name", true)])
        );
        assert_eq!(
            asked(r#"{"customer":["last_name",{"billing":["city","city"]}]}"#),
            expected(&[
                ("customer.last_name", true),
                ("customer.billing.city", true)
            ])
        );
    }
}
