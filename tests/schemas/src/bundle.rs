//! Makes `infra/events/bundle.json` from the schemas of the events, in a form that type generators understand.
//!
//! A schema of an event extends definitions of `definitions.json`. A generator would ignore the extended definitions,
//! and lose the payment's fields. Therefore each object has all its fields in one place in the bundle.
//!
//! The schema of a type of event can limit a field of the payment to some values. The bundle leaves these limits out,
//! so that all types share the definition of their data.
#![allow(clippy::indexing_slicing)]

use std::collections::BTreeMap;

use anyhow::Context;
use serde_json::{Map, Value, json};

use crate::events;
use crate::infra;
use crate::validation::DEFINITIONS;

/// Makes the bundle.
pub fn make() -> anyhow::Result<Value> {
    let definitions = Definitions(infra::json(DEFINITIONS)?);
    let mut bundled = Map::new();
    for (name, definition) in definitions.0["$defs"].as_object().into_iter().flatten() {
        // `event` and `payment` are left out, because the definitions that extend them get all of their fields.
        if is_named(definition) && !["event", "payment"].contains(&name.as_str()) {
            bundled.insert(type_name(name), definitions.flatten(definition)?);
        }
    }
    let mut types = Vec::new();
    for (kind, schema) in events::read_schemas()? {
        bundled.insert(type_name(&kind), definitions.event(&schema)?);
        types.push(reference(&kind));
    }
    Ok(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Event",
        "description": "An event of any type.",
        "oneOf": types,
        "$defs": bundled,
    }))
}

/// The content of `definitions.json`.
struct Definitions(Value);

impl Definitions {
    fn get(&self, name: &str) -> anyhow::Result<&Value> {
        self.0["$defs"]
            .get(name)
            .with_context(|| format!("{DEFINITIONS} has no {name}"))
    }

    /// Returns the definition of an event: the envelope with the constants of its type and the type of its data.
    fn event(&self, schema: &Value) -> anyhow::Result<Value> {
        let mut event = self.flatten(self.get("event")?)?;
        event["description"] = schema["description"].clone();
        let data = target(&schema["properties"]["data"]);
        let data = data.context("the data of an event has no definition")?;
        event["properties"]["data"] = reference(data);
        for name in ["type", "dataschema"] {
            merge(&mut event["properties"][name], &schema["properties"][name]);
        }
        Ok(event)
    }

    /// Replaces each reference that another keyword extends, and each reference to a text or a number, by its target.
    fn flatten(&self, schema: &Value) -> anyhow::Result<Value> {
        Ok(match schema {
            Value::Array(schemas) => {
                let schemas = schemas.iter().map(|schema| self.flatten(schema));
                Value::Array(schemas.collect::<anyhow::Result<_>>()?)
            }
            Value::Object(members) => match target(schema) {
                None => {
                    let members = members.iter();
                    let members =
                        members.map(|(name, member)| Ok((name.clone(), self.flatten(member)?)));
                    Value::Object(members.collect::<anyhow::Result<_>>()?)
                }
                Some(name) if members.len() == 1 && is_named(self.get(name)?) => reference(name),
                Some(name) => {
                    let mut members = members.clone();
                    members.remove("$ref");
                    let mut whole = self.get(name)?.clone();
                    merge(&mut whole, &Value::Object(members));
                    self.flatten(&whole)?
                }
            },
            other => other.clone(),
        })
    }
}

/// Adds the members of `more` to a schema: appends the names of required fields, and replaces any other value.
fn merge(schema: &mut Value, more: &Value) {
    match (schema, more) {
        (Value::Object(members), Value::Object(more)) => {
            for (name, value) in more {
                merge(members.entry(name).or_insert(Value::Null), value);
            }
        }
        (Value::Array(values), Value::Array(more)) => values.extend(more.iter().cloned()),
        (schema, more) => *schema = more.clone(),
    }
}

/// Whether the bundle has a definition of its own for this schema. The bundle has no definition of a plain text or
/// number, but repeats the schema, because a generator would make a class for the definition.
fn is_named(schema: &Value) -> bool {
    schema["type"] == "object"
        || ["$ref", "enum"]
            .iter()
            .any(|name| schema.get(name).is_some())
}

/// Returns the name of the definition to which a schema refers.
fn target(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{}", type_name(name)) })
}

/// Returns the name of a type in programs: `PaymentSucceeded` for `payment.succeeded`.
pub fn type_name(name: &str) -> String {
    let words = name.split(['.', '_']);
    let words = words.map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or_default();
        first.to_uppercase() + rest
    });
    words.collect()
}

/// Returns the schemas of the bundle by event type. Each refuses fields that the bundle does not know.
pub(crate) fn closed(
    kinds: impl Iterator<Item = String>,
) -> anyhow::Result<BTreeMap<String, Value>> {
    let mut bundle = make()?;
    crate::validation::close(&mut bundle);
    let schemas = kinds.map(|kind| {
        let mut schema = reference(&kind);
        schema["$defs"] = bundle["$defs"].clone();
        (kind, schema)
    });
    Ok(schemas.collect())
}
