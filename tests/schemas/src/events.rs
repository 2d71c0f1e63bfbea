//! Checks events against their schemas.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use anyhow::{Context, anyhow, ensure};
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::infra;
use crate::validation::{BASE, DEFINITIONS, Documents, differences};

/// The validators by event type.
static VALIDATORS: LazyLock<anyhow::Result<BTreeMap<String, Validator>>> = LazyLock::new(read);

/// Returns the event types that have a schema.
pub fn types() -> anyhow::Result<Vec<&'static str>> {
    Ok(validators()?.keys().map(String::as_str).collect())
}

/// Checks an event against the schema of its type.
///
/// Also checks two rules that a schema cannot express. First, the id consists of the project, the payment and the
/// sequence number. Second, both fields with the payment id are equal. The error lists all differences from the schema.
pub fn check(event: &Value) -> anyhow::Result<()> {
    let validator = validators()?
        .get(text(event, "/type"))
        .with_context(|| format!("{event} has no schema"))?;
    let differences = differences(validator, event);
    ensure!(differences.is_empty(), "{event}: {differences:#?}");

    let project = text(event, "/source").trim_start_matches("/ecommpay/");
    let subject = text(event, "/subject");
    let sequence = event.pointer("/data/sequence").unwrap_or(&Value::Null);
    ensure!(
        text(event, "/id") == format!("{project}/{subject}/{sequence}"),
        "the id of {event} does not match its project, subject and sequence"
    );
    ensure!(
        text(event, "/data/payment_id") == subject,
        "the payment_id of {event} does not match its subject"
    );
    Ok(())
}

fn text<'a>(event: &'a Value, pointer: &str) -> &'a str {
    event
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn validators() -> anyhow::Result<&'static BTreeMap<String, Validator>> {
    VALIDATORS.as_ref().map_err(|error| anyhow!("{error:#}"))
}

fn read() -> anyhow::Result<BTreeMap<String, Validator>> {
    let mut schemas = BTreeMap::new();
    for entry in std::fs::read_dir(infra::path("events"))? {
        let entry = entry?;
        if entry
            .path()
            .extension()
            .is_none_or(|extension| extension != "json")
        {
            continue; // the folder of the samples, or the README
        }
        let path = format!("events/{}", entry.file_name().to_string_lossy());
        let schema = infra::json(&path)?;
        jsonschema::meta::validate(&schema).map_err(|error| anyhow!("{path}: {error}"))?;
        schemas.insert(path, schema);
    }
    let documents = Documents::new(schemas.clone())?;
    let types = schemas.keys().filter(|path| *path != DEFINITIONS);
    types
        .map(|path| {
            let kind = path.trim_start_matches("events/").trim_end_matches(".json");
            let schema = json!({ "$ref": format!("{BASE}{path}") });
            Ok((kind.to_owned(), documents.validator(&schema)?))
        })
        .collect()
}
