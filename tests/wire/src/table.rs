//! The tables of `infra/template.yaml`, in this process.

use anyhow::Context;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

/// The properties that a table in a template shares with a `CreateTable` request.
const SHARED: [&str; 4] = [
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
    "BillingMode",
];

/// Returns an in-memory database with tables of the template: pairs of a resource in the template and the name of the
/// table.
///
/// # Errors
///
/// If a table cannot be made from the template.
pub fn database(tables: &[(&str, &str)]) -> anyhow::Result<dynoxide::Database> {
    let template = schemas::yaml("template.yaml")?;
    let database = dynoxide::Database::memory()?;
    for (resource, name) in tables {
        let definition = definition(&template, resource, name)?;
        database.create_table(serde_json::from_value(definition)?)?;
    }
    Ok(database)
}

/// Serves the tables until the process ends. Returns the address of their DynamoDB endpoint.
pub(crate) async fn serve(tables: &[(&str, &str)]) -> anyhow::Result<String> {
    let database = database(tables)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    Ok(endpoint)
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
