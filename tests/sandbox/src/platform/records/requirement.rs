//! Defines the data that an operation needs, and the two forms of `clarification_fields`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The names of fields by object, such as `{"customer": ["last_name"]}`.
pub type FieldNames = BTreeMap<String, Vec<String>>;

/// The form of the member `clarification_fields`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClarificationForm {
    /// For each object, the names of its missing fields.
    #[default]
    List,
    /// For each object, a schema with `required`, `properties` and `errors`.
    Schema,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Requirement {
    pub fields: FieldNames,
    pub form: ClarificationForm,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clarification {
    /// What the operation needs, missing or not.
    pub requirement: Requirement,
    pub missing: FieldNames,
}

impl Requirement {
    /// Returns `None` if the data is complete.
    pub fn clarification(&self, data: &Map<String, Value>) -> Option<Clarification> {
        let mut missing = FieldNames::new();
        for (object, fields) in &self.fields {
            let is_missing = |field: &&String| {
                let value = data.get(object).and_then(|object| object.get(*field));
                !value.is_some_and(has_content)
            };
            let fields: Vec<String> = fields.iter().filter(is_missing).cloned().collect();
            if !fields.is_empty() {
                missing.insert(object.clone(), fields);
            }
        }
        (!missing.is_empty()).then(|| Clarification {
            requirement: self.clone(),
            missing,
        })
    }
}

impl Clarification {
    /// Returns the member `clarification_fields`.
    pub fn json(&self) -> Value {
        match self.requirement.form {
            ClarificationForm::List => json!(self.missing),
            ClarificationForm::Schema => {
                let schemas = self.missing.iter();
                let schemas = schemas.map(|(object, fields)| (object.clone(), schema(fields)));
                Value::Object(schemas.collect())
            }
        }
    }
}

/// Returns the schema of one object. The property `email` is always present, but not always required.
fn schema(required: &[String]) -> Value {
    let names = required.iter().map(String::as_str).chain(["email"]);
    let properties: Map<String, Value> = names
        .map(|name| (name.to_owned(), property(name)))
        .collect();
    let errors: Vec<Value> = required
        .iter()
        .map(|field| {
            let message = format!("The property {field} is required");
            json!({"property": field, "message": message, "constraint": "required"})
        })
        .collect();
    json!({"type": "object", "required": required, "properties": properties, "errors": errors})
}

fn property(field: &str) -> Value {
    match field {
        "email" => json!({"type": "string", "format": "email"}),
        _ => json!({"type": "string", "maxLength": 255}),
    }
}

fn has_content(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

/// Adds the members of `added` to `data`. Objects are merged, and other values replaced.
pub fn merge(data: &mut Map<String, Value>, added: &Map<String, Value>) {
    for (name, value) in added {
        match (data.get_mut(name), value) {
            (Some(Value::Object(known)), Value::Object(new)) => merge(known, new),
            _ => {
                data.insert(name.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn requirement(form: ClarificationForm) -> Requirement {
        let fields = ["first_name", "last_name"].map(str::to_owned).to_vec();
        Requirement {
            fields: FieldNames::from([("customer".to_owned(), fields)]),
            form,
        }
    }

    fn data(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_clarification_names_only_the_missing_fields() {
        let list = requirement(ClarificationForm::List);
        let half = data(json!({"customer": {"first_name": "Ann", "last_name": ""}}));
        let clarification = list.clarification(&half).unwrap();
        assert_eq!(clarification.json(), json!({"customer": ["last_name"]}));
        let whole = data(json!({"customer": {"first_name": "Ann", "last_name": "Maes"}}));
        assert_eq!(list.clarification(&whole), None);
    }

    #[test]
    fn a_schema_has_the_required_fields_and_an_optional_email() {
        let schema = requirement(ClarificationForm::Schema);
        let clarification = schema.clarification(&Map::new()).unwrap();
        let schema = &clarification.json()["customer"];
        assert_eq!(schema["required"], json!(["first_name", "last_name"]));
        assert_eq!(schema["properties"]["email"]["format"], "email");
        assert_eq!(schema["errors"][1]["property"], "last_name");
        assert_eq!(schema["errors"][1]["constraint"], "required");
    }

    #[test]
    fn a_merge_adds_members_and_keeps_earlier_members() {
        let mut known = data(json!({"account": {"number": "1"}}));
        merge(&mut known, &data(json!({"account": {"bank": "2"}, "x": 1})));
        let expected = json!({"account": {"number": "1", "bank": "2"}, "x": 1});
        assert_eq!(Value::Object(known), expected);
    }
}
