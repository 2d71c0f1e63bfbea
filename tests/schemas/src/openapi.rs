//! Reads `infra/openapi.yaml` and checks values against its schemas.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::infra;
use crate::validation::{self, BASE, DEFINITIONS, Documents};

/// References to the document use this path.
const OPENAPI: &str = "openapi.json";

/// The description of the API.
#[derive(Debug)]
pub struct Document {
    json: Value,
    documents: Documents,
}

impl Document {
    /// Reads the document.
    pub fn read() -> anyhow::Result<Self> {
        let json = infra::yaml("openapi.yaml")?;
        let mut definitions = infra::json(DEFINITIONS)?;
        validation::close(&mut definitions);
        let documents = Documents::new([
            (DEFINITIONS.to_owned(), definitions),
            (OPENAPI.to_owned(), json.clone()),
        ])?;
        Ok(Self { json, documents })
    }

    /// Returns the whole document.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// Returns the operations by method and path, such as `GET /payments/{payment_id}`.
    pub fn operations(&self) -> BTreeMap<String, &Value> {
        let paths = self.json.get("paths").and_then(Value::as_object);
        let mut operations = BTreeMap::new();
        for (path, item) in paths.into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if method != "parameters" {
                    operations.insert(format!("{} {path}", method.to_uppercase()), operation);
                }
            }
        }
        operations
    }

    /// Returns the target of a reference, and any other value unchanged.
    pub fn follow<'a>(&'a self, value: &'a Value) -> &'a Value {
        let target = value.get("$ref").and_then(Value::as_str);
        let target = target.and_then(|target| target.strip_prefix('#'));
        target
            .and_then(|pointer| self.json.pointer(pointer))
            .unwrap_or(value)
    }

    /// Returns all differences between a value and a schema of the document.
    pub fn differences(&self, schema: &Value, value: &Value) -> anyhow::Result<Vec<String>> {
        let mut schema = schema.clone();
        make_absolute(&mut schema);
        let validator = self.documents.validator(&schema)?;
        Ok(validation::differences(&validator, value))
    }
}

/// Makes the references in a schema absolute, because the caller uses the schema outside of the document.
fn make_absolute(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(target) if name == "$ref" && target.starts_with('#') => {
                        *target = format!("{BASE}{OPENAPI}{target}");
                    }
                    Value::String(target) if name == "$ref" => *target = format!("{BASE}{target}"),
                    member => make_absolute(member),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(make_absolute),
        _ => {}
    }
}
