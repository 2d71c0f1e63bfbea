//! Creates the tables of `infra/template.yaml` in this process.

use std::collections::BTreeSet;

use anyhow::Context;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

/// The properties of a table that a template and a `CreateTable` request share.
const SHARED: [&str; 4] = [
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
    "BillingMode",
];

/// Returns an in-memory database. Each pair has the name of a resource in the template, and the name of the new table.
pub fn database(tables: &[(&str, &str)]) -> anyhow::Result<dynoxide::Database> {
    let template = schemas::yaml("template.yaml")?;
    let database = dynoxide::Database::memory()?;
    for (resource, name) in tables {
        let definition = definition(&template, resource, name)?;
        database.create_table(serde_json::from_value(definition)?)?;
    }
    Ok(database)
}

/// Serves the tables until the runtime ends, and returns the URL of their DynamoDB endpoint.
pub(crate) async fn serve(tables: &[(&str, &str)]) -> anyhow::Result<String> {
    let database = database(tables)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    Ok(endpoint)
}

/// Returns the key attributes of the table and its indexes.
pub fn keys() -> anyhow::Result<BTreeSet<String>> {
    Ok(schemas_of_keys()?
        .into_iter()
        .map(|(name, _)| name)
        .collect())
}

/// Returns the sort keys of the table and its indexes.
pub fn sort_keys() -> anyhow::Result<BTreeSet<String>> {
    let keys = schemas_of_keys()?.into_iter();
    Ok(keys
        .filter(|(_, kind)| kind == "RANGE")
        .map(|(name, _)| name)
        .collect())
}

/// Returns each key attribute and its type, `HASH` or `RANGE`.
fn schemas_of_keys() -> anyhow::Result<Vec<(String, String)>> {
    let template = schemas::yaml("template.yaml")?;
    let table = definition(&template, "Table", "")?;
    let indexes = table
        .get("GlobalSecondaryIndexes")
        .and_then(Value::as_array);
    let schemas = indexes.into_iter().flatten().chain([&table]);
    let keys = schemas.filter_map(|schema| schema.get("KeySchema")?.as_array());
    let text = |key: &Value, name: &str| key.get(name).and_then(Value::as_str).map(str::to_owned);
    let keys = keys
        .flatten()
        .map(|key| text(key, "AttributeName").zip(text(key, "KeyType")));
    keys.collect::<Option<_>>()
        .context("a key has no name or no type")
}

fn definition(template: &Value, resource: &str, name: &str) -> anyhow::Result<Value> {
    let table = template.pointer(&format!("/Resources/{resource}/Properties"));
    let table = table.with_context(|| format!("The template has no table {resource}"))?;
    let mut request = Map::from_iter([("TableName".to_owned(), json!(name))]);
    for property in SHARED {
        if let Some(value) = table.get(property) {
            request.insert(property.to_owned(), value.clone());
        }
    }
    Ok(request.into())
}
