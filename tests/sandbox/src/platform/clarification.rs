//! The data that an operation waits for, in the two forms of `clarification_fields`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Names of fields by the object that holds them, such as `{"customer": ["last_name"]}`.
pub type Fields = BTreeMap<String, Vec<String>>;

/// The form of `clarification_fields`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// The names of the missing fields by object.
    #[default]
    List,
    /// A schema by object, with `required`, `properties` and `errors`.
    Schema,
}

/// What an operation needs before it can go on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Requirement {
    /// The fields that must be there.
    pub fields: Fields,
    /// How they are asked for.
    pub form: Form,
}

/// A request for the data that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// All fields that the operation needs.
    pub requirement: Requirement,
    /// Those that are missing.
    pub missing: Fields,
}

impl Requirement {
    /// The question about `data`; none if nothing is missing.
    pub fn question(&self, data: &Map<String, Value>) -> Option<Question> {
        let mut missing = Fields::new();
        for (object, fields) in &self.fields {
            let lacks = |field: &&String| {
                let found = data.get(object).and_then(|found| found.get(*field));
                !found.is_some_and(has_content)
            };
            let fields: Vec<String> = fields.iter().filter(lacks).cloned().collect();
            if !fields.is_empty() {
                missing.insert(object.clone(), fields);
            }
        }
        (!missing.is_empty()).then(|| Question {
            requirement: self.clone(),
            missing,
        })
    }
}

impl Question {
    /// `clarification_fields` of a message.
    pub fn json(&self) -> Value {
        match self.requirement.form {
            Form::List => json!(self.missing),
            Form::Schema => {
                let schemas = self.missing.iter();
                let schemas = schemas.map(|(object, fields)| (object.clone(), schema(fields)));
                Value::Object(schemas.collect())
            }
        }
    }
}

/// The schema of one object. An e-mail is always offered, so a field that is not required stands beside the others.
fn schema(required: &[String]) -> Value {
    let mut properties = Map::new();
    for field in required {
        properties.insert(field.clone(), property(field));
    }
    properties
        .entry("email")
        .or_insert_with(|| property("email"));
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

/// Adds the members of `brought` to `data`, object by object.
pub fn merge(data: &mut Map<String, Value>, brought: &Map<String, Value>) {
    for (name, value) in brought {
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

    fn requirement(form: Form) -> Requirement {
        let fields = ["first_name", "last_name"].map(str::to_owned).to_vec();
        Requirement {
            fields: Fields::from([("customer".to_owned(), fields)]),
            form,
        }
    }

    fn data(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_question_names_the_missing_fields_only() {
        let half = data(json!({"customer": {"first_name": "Ann", "last_name": ""}}));
        let question = requirement(Form::List).question(&half).unwrap();
        assert_eq!(question.json(), json!({"customer": ["last_name"]}));
        let whole = data(json!({"customer": {"first_name": "Ann", "last_name": "Maes"}}));
        assert_eq!(requirement(Form::List).question(&whole), None);
    }

    #[test]
    fn a_schema_has_required_fields_and_an_optional_one() {
        let question = requirement(Form::Schema).question(&Map::new()).unwrap();
        let schema = &question.json()["customer"];
        assert_eq!(schema["required"], json!(["first_name", "last_name"]));
        assert_eq!(schema["properties"]["email"]["format"], "email");
        assert_eq!(schema["errors"][1]["property"], "last_name");
        assert_eq!(schema["errors"][1]["constraint"], "required");
    }

    #[test]
    fn brought_data_adds_to_known_data() {
        let mut known = data(json!({"account": {"number": "1"}}));
        merge(&mut known, &data(json!({"account": {"bank": "2"}, "x": 1})));
        let expected = json!({"account": {"number": "1", "bank": "2"}, "x": 1});
        assert_eq!(Value::Object(known), expected);
    }
}
