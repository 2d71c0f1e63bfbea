//! Checks events against their schemas.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use anyhow::{Context, anyhow, ensure};
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::validation::{BASE, DEFINITIONS, Documents, differences};
use crate::{bundle, infra};

/// The validators of a type of event.
struct Validators {
    /// The published schema of the type. It is open to new fields.
    published: Validator,
    /// The definition of the type in the bundle, closed to new fields.
    closed: Validator,
}

/// The validators by event type.
static VALIDATORS: LazyLock<anyhow::Result<BTreeMap<String, Validators>>> = LazyLock::new(read);

/// Returns the event types that have a schema.
pub fn types() -> anyhow::Result<Vec<&'static str>> {
    Ok(validators()?.keys().map(String::as_str).collect())
}

/// Checks an event against the schema of its type, and against the bundle. The event must have only fields that the
/// schemas name. The error lists all differences from the schemas.
///
/// Also checks two rules that a schema cannot express: the id consists of the project, the payment and the sequence
/// number, and both fields with the payment id are equal.
pub fn check(event: &Value) -> anyhow::Result<()> {
    let validators = validators_of(event)?;
    let mut differences = differences(&validators.closed, event);
    differences.extend(self::differences(&validators.published, event));
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

/// Checks an event as a consumer does: against the published schema of its type.
pub fn check_as_consumer(event: &Value) -> anyhow::Result<()> {
    let differences = differences(&validators_of(event)?.published, event);
    ensure!(differences.is_empty(), "{event}: {differences:#?}");
    Ok(())
}

fn text<'a>(event: &'a Value, pointer: &str) -> &'a str {
    event
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn validators_of(event: &Value) -> anyhow::Result<&'static Validators> {
    let kind = text(event, "/type");
    let validators = validators()?.get(kind);
    validators.with_context(|| format!("{event} has no schema"))
}

fn validators() -> anyhow::Result<&'static BTreeMap<String, Validators>> {
    VALIDATORS.as_ref().map_err(|error| anyhow!("{error:#}"))
}

fn read() -> anyhow::Result<BTreeMap<String, Validators>> {
    let schemas = read_schemas()?;
    let definitions = (DEFINITIONS.to_owned(), infra::json(DEFINITIONS)?);
    let paths = schemas
        .iter()
        .map(|(kind, schema)| (path(kind), schema.clone()));
    let documents = Documents::new(paths.chain([definitions]))?;
    let closed = bundle::closed(schemas.keys().cloned())?;
    closed
        .into_iter()
        .map(|(kind, closed)| {
            let published = json!({ "$ref": format!("{BASE}{}", path(&kind)) });
            let validators = Validators {
                published: documents.validator(&published)?,
                closed: documents.validator(&closed)?,
            };
            Ok((kind, validators))
        })
        .collect()
}

/// Reads the schemas of all event types.
pub(crate) fn read_schemas() -> anyhow::Result<BTreeMap<String, Value>> {
    let mut schemas = BTreeMap::new();
    for entry in std::fs::read_dir(infra::path("events"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        // The names of other files have no dot before the ending.
        let kind = name.strip_suffix(".json").filter(|kind| kind.contains('.'));
        let Some(kind) = kind else { continue };
        let schema = infra::json(&path(kind))?;
        jsonschema::meta::validate(&schema).map_err(|error| anyhow!("{kind}: {error}"))?;
        schemas.insert(kind.to_owned(), schema);
    }
    Ok(schemas)
}

fn path(kind: &str) -> String {
    format!("events/{kind}.json")
}
