//! `infra/openapi.yaml`, read as what it promises.

use std::collections::BTreeMap;

use anyhow::Context;
use jsonschema::{Registry, Validator};
use serde_json::Value;

use crate::{DEFINITIONS, folder, yaml};

/// Where schemas find the document, and beside it what it shares with events.
const BASE: &str = "json-schema:///";

/// The description of the API.
#[derive(Debug)]
pub struct Document {
    json: Value,
    registry: Registry<'static>,
}

impl Document {
    /// The project's.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn read() -> anyhow::Result<Self> {
        let json = yaml("openapi.yaml")?;
        let definitions = std::fs::read(folder().join(DEFINITIONS))?;
        let definitions: Value = serde_json::from_slice(&definitions)?;
        let registry = Registry::new()
            .add(format!("{BASE}events/{DEFINITIONS}"), definitions)?
            .add(format!("{BASE}openapi.json"), json.clone())?
            .prepare()?;
        Ok(Self { json, registry })
    }

    /// All of it.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The operations, by method and path as the template's routes have them.
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

    /// A value, or what it refers to.
    pub fn follow<'a>(&'a self, value: &'a Value) -> &'a Value {
        let target = value.get("$ref").and_then(Value::as_str);
        let target = target.and_then(|target| target.strip_prefix('#'));
        target
            .and_then(|pointer| self.json.pointer(pointer))
            .unwrap_or(value)
    }

    /// What of a value is not as a schema of the document says.
    ///
    /// # Errors
    ///
    /// When the schema is none.
    pub fn differences(&self, schema: &Value, value: &Value) -> anyhow::Result<Vec<String>> {
        let validator = self.validator(schema)?;
        Ok(validator
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect())
    }

    fn validator(&self, schema: &Value) -> anyhow::Result<Validator> {
        let mut schema = schema.clone();
        absolute(&mut schema);
        jsonschema::options()
            .offline()
            .with_registry(&self.registry)
            .should_validate_formats(true)
            .build(&schema)
            .map_err(|error| anyhow::anyhow!("{error}"))
            .with_context(|| format!("{schema}"))
    }
}

/// References as they are from anywhere.
fn absolute(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(target) if name == "$ref" && target.starts_with('#') => {
                        *target = format!("{BASE}openapi.json{target}");
                    }
                    Value::String(target) if name == "$ref" => *target = format!("{BASE}{target}"),
                    member => absolute(member),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(absolute),
        _ => {}
    }
}
