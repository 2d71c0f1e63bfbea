//! Holds events against their schemas in `infra/events`, as any consumer could, and answers against
//! `infra/openapi.yaml`.
//!
//! A crate of its own, so that the domain's tests and the end-to-end tests share it and no
//! function is built with it.

pub mod openapi;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, ensure};
use jsonschema::{Registry, Validator};
use serde_json::{Map, Value, json};
use yaml_rust2::{Yaml, YamlLoader};

/// The file that all schemas refer to.
const DEFINITIONS: &str = "definitions.json";

static SCHEMAS: LazyLock<anyhow::Result<BTreeMap<String, Validator>>> = LazyLock::new(read);

/// The types of event that have a schema.
///
/// # Errors
///
/// When the schemas cannot be read.
pub fn types() -> anyhow::Result<Vec<&'static str>> {
    Ok(schemas()?.keys().map(String::as_str).collect())
}

/// Holds an event against the schema of its type, and its id against what the id is made of, which
/// no schema can say.
///
/// # Errors
///
/// When the event is not as promised; names every difference.
pub fn check(event: &Value) -> anyhow::Result<()> {
    let kind = text(event, "/type");
    let schema = schemas()?
        .get(kind)
        .with_context(|| format!("{event} has no schema"))?;
    let differences: Vec<String> = schema
        .iter_errors(event)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    ensure!(differences.is_empty(), "{event}: {differences:#?}");

    let project = text(event, "/source").trim_start_matches("/ecommpay/");
    let subject = text(event, "/subject");
    let sequence = event.pointer("/data/sequence").unwrap_or(&Value::Null);
    ensure!(
        text(event, "/id") == format!("{project}/{subject}/{sequence}"),
        "the id of {event} is of another event"
    );
    ensure!(
        text(event, "/data/payment_id") == subject,
        "{event} is about two payments"
    );
    Ok(())
}

fn text<'a>(event: &'a Value, pointer: &str) -> &'a str {
    event
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn schemas() -> anyhow::Result<&'static BTreeMap<String, Validator>> {
    SCHEMAS
        .as_ref()
        .map_err(|error| anyhow::anyhow!("{error:#}"))
}

/// A file of `infra`, read as YAML without regard to tags.
///
/// # Errors
///
/// When it cannot be read.
pub fn yaml(name: &str) -> anyhow::Result<Value> {
    let documents = YamlLoader::load_from_str(&std::fs::read_to_string(infra().join(name))?)?;
    Ok(documents.first().map_or(Value::Null, to_json))
}

fn to_json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::String(text) => json!(text),
        Yaml::Integer(number) => json!(number),
        Yaml::Real(number) => number
            .parse()
            .map_or(Value::Null, |number: f64| json!(number)),
        Yaml::Boolean(value) => json!(value),
        Yaml::Array(values) => values.iter().map(to_json).collect(),
        Yaml::Hash(values) => values
            .iter()
            .filter_map(|(name, value)| Some((name.as_str()?.to_owned(), to_json(value))))
            .collect::<Map<_, _>>()
            .into(),
        _ => Value::Null,
    }
}

fn infra() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra")
}

fn folder() -> PathBuf {
    infra().join("events")
}

fn read() -> anyhow::Result<BTreeMap<String, Validator>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder())? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue; // The samples and the README.
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let schema: Value = serde_json::from_slice(&std::fs::read(&path)?)
            .with_context(|| format!("{name} is no JSON"))?;
        jsonschema::meta::validate(&schema).map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
        files.insert(name.into_owned(), schema);
    }
    let definitions = files
        .remove(DEFINITIONS)
        .context("the definitions are missing")?;
    let registry = Registry::new()
        .add(format!("json-schema:///{DEFINITIONS}"), definitions)?
        .prepare()?;
    files
        .into_iter()
        .map(|(file, schema)| {
            let validator = jsonschema::options()
                .offline()
                .with_registry(&registry)
                .should_validate_formats(true)
                .build(&schema)
                .map_err(|error| anyhow::anyhow!("{file}: {error}"))?;
            Ok((file.trim_end_matches(".json").to_owned(), validator))
        })
        .collect()
}
