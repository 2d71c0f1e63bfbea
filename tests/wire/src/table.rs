//! Runs the table of `infra/template.yaml`, in this process.

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

/// Returns an in-memory database with only this table.
///
/// # Errors
///
/// If no table can be made from the template.
pub fn database(name: &str) -> anyhow::Result<dynoxide::Database> {
    let database = dynoxide::Database::memory()?;
    database.create_table(serde_json::from_value(definition(name)?)?)?;
    Ok(database)
}

/// Serves the table until the process ends. Returns the address of its DynamoDB endpoint.
pub(crate) async fn serve(name: &str) -> anyhow::Result<String> {
    let database = database(name)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    Ok(endpoint)
}

fn definition(name: &str) -> anyhow::Result<Value> {
    let template = schemas::yaml("template.yaml")?;
    let table = template.pointer("/Resources/Table/Properties");
    let table = table.context("The template has no table")?;
    let mut request = Map::from_iter([("TableName".to_owned(), json!(name))]);
    for property in SHARED {
        let value = table.get(property).cloned();
        request.insert(property.to_owned(), value.unwrap_or_default());
    }
    Ok(request.into())
}
