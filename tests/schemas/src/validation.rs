//! Checks values against JSON Schemas.

use anyhow::{Context, anyhow};
use jsonschema::{Registry, Validator};
use serde_json::Value;

/// The URI of the folder `infra`. The URI of a file appends the path of the file in the folder.
pub(crate) const BASE: &str = "json-schema:///";

/// Definitions that events and the API share.
pub(crate) const DEFINITIONS: &str = "events/definitions.json";

/// The documents to which a schema can refer.
#[derive(Debug)]
pub(crate) struct Documents(Registry<'static>);

impl Documents {
    /// Registers documents under their paths in `infra`.
    pub(crate) fn new(
        documents: impl IntoIterator<Item = (String, Value)>,
    ) -> anyhow::Result<Self> {
        let mut registry = Registry::new();
        for (path, document) in documents {
            registry = registry.add(format!("{BASE}{path}"), document)?;
        }
        Ok(Self(registry.prepare()?))
    }

    pub(crate) fn validator(&self, schema: &Value) -> anyhow::Result<Validator> {
        jsonschema::options()
            .offline()
            .with_registry(&self.0)
            .should_validate_formats(true)
            .build(schema)
            .map_err(|error| anyhow!("{error}"))
            .with_context(|| schema.to_string())
    }
}

pub(crate) fn differences(validator: &Validator, value: &Value) -> Vec<String> {
    validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// Makes each object in a schema refuse unknown fields. The published schemas accept them, but this release must send
/// none. An object that extends another definition stays open, because it does not name all of its fields.
pub(crate) fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            if members.get("type").is_some_and(|kind| kind == "object") {
                let closed = members.entry("additionalProperties");
                closed.or_insert(Value::Bool(false));
            }
        }
        Value::Array(values) => values.iter_mut().for_each(close),
        _ => {}
    }
}
