//! Reads the fields that the platform requests in a clarification.
//!
//! Source ([list](crate::sources)): Gate, clarification.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::json::Value;

/// A field that the platform requests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClarificationField {
    /// The platform's name of the field, as `object.field`.
    pub name: String,
    /// Whether the field is mandatory. All fields are mandatory in the list form, and in a schema that names no
    /// required field.
    pub required: bool,
}

/// Reads `clarification_fields` in both of its forms. Returns a field only once, even if the message names it twice.
///
/// - List form: `{"customer":["last_name"]}`. An entry can also be an object of such lists.
/// - Schema form: `{"customer":{"type":"object","required":["last_name"],"properties":{"last_name":{}}}}`. A property
///   with properties of its own is an object, not a field.
///
/// The signature covers neither an empty `required` nor an empty property, so an attacker can add or remove either.
/// Therefore an empty `required` means the same as a missing `required`, and a required field needs no property.
pub(super) fn fields(value: &Value<'_>) -> Vec<ClarificationField> {
    let mut requested = Requested::default();
    requested.read("", value);
    requested.fields
}

#[derive(Default)]
struct Requested {
    fields: Vec<ClarificationField>,
    /// The index of each name in `fields`.
    indices: HashMap<String, usize>,
}

impl Requested {
    fn read(&mut self, path: &str, value: &Value<'_>) {
        for (name, fields) in value.members() {
            let path = format!("{path}{name}.");
            for field in fields.elements() {
                match field.as_str() {
                    Some(field) => self.add(format!("{path}{field}"), true),
                    None => self.read(&path, field),
                }
            }
            self.read_schema(&path, fields, true);
        }
    }

    /// Reads a schema. If the object of the schema is optional, its fields are optional.
    fn read_schema(&mut self, path: &str, schema: &Value<'_>, is_object_required: bool) {
        let names = schema.get("required").map(Value::elements);
        let names = names.unwrap_or_default().iter().filter_map(Value::as_str);
        let required: HashSet<&str> = names.clone().collect();
        let described = schema.get("properties").map(Value::members);
        let mut objects = HashSet::new();
        for (field, described) in described.unwrap_or_default() {
            let is_required = required.is_empty() || required.contains(field.as_ref());
            let is_required = is_object_required && is_required;
            let inner = described
                .get("properties")
                .map_or(0, |fields| fields.members().len());
            let names = described
                .get("required")
                .map_or(0, |names| names.elements().len());
            if inner + names > 0 {
                objects.insert(field.as_ref());
                self.read_schema(&format!("{path}{field}."), described, is_required);
            } else {
                self.add(format!("{path}{field}"), is_required);
            }
        }
        for field in names.filter(|field| !objects.contains(field)) {
            self.add(format!("{path}{field}"), is_object_required);
        }
    }

    fn add(&mut self, name: String, required: bool) {
        let next = self.fields.len();
        let index = *self.indices.entry(name.clone()).or_insert(next);
        match self.fields.get_mut(index) {
            Some(known) => known.required |= required,
            None => self.fields.push(ClarificationField { name, required }),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::json::{Limits, parse};

    #[test]
    fn a_field_is_required_unless_the_schema_names_other_required_fields() {
        let requested = |fields: &str| {
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
            requested(
                r#"{"customer":{"type":"object","required":["last_name"],"properties":{"last_name":{},"email":{}}}}"#
            ),
            expected(&[("customer.last_name", true), ("customer.email", false)])
        );
        // Both messages have the same signature.
        for required in ["", r#""required":[],"#] {
            assert_eq!(
                requested(&format!(
                    r#"{{"customer":{{{required}"properties":{{"email":{{}}}}}}}}"#
                )),
                expected(&[("customer.email", true)])
            );
        }
        assert_eq!(
            requested(r#"{"customer":{"required":["last_name"],"properties":{"email":{}}}}"#),
            expected(&[("customer.email", false), ("customer.last_name", true)])
        );
        let nested = |required: &str| {
            requested(&format!(
                r#"{{"customer":{{"required":{required},"properties":{{"last_name":{{}},"billing":
                {{"type":"object","required":["city"],"properties":{{"city":{{"type":"string"}},"zip":{{}}}}}}}}}}}}"#
            ))
        };
        assert_eq!(
            nested(r#"["billing"]"#),
            expected(&[
                ("customer.last_name", false),
                ("customer.billing.city", true),
                ("customer.billing.zip", false),
            ])
        );
        assert_eq!(
            nested(r#"["last_name"]"#),
            expected(&[
                ("customer.last_name", true),
                ("customer.billing.city", false),
                ("customer.billing.zip", false),
            ])
        );
        assert_eq!(
            requested(r#"{"customer":["last_name",{"billing":["city","city"]}]}"#),
            expected(&[
                ("customer.last_name", true),
                ("customer.billing.city", true)
            ])
        );
    }
}
