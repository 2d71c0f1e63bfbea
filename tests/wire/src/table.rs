//! The table of `infra/template.yaml`, in this process.

use std::path::Path;

use anyhow::Context;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use yaml_rust2::{Yaml, YamlLoader};

/// What a table's properties in a template and a `CreateTable` request have in common.
const SHARED: [&str; 4] = [
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
    "BillingMode",
];

/// Makes the table and gives the address where DynamoDB answers, until the process ends.
pub async fn serve(name: &str) -> anyhow::Result<String> {
    let database = dynoxide::Database::memory()?;
    database.create_table(serde_json::from_value(definition(name)?)?)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    Ok(endpoint)
}

fn definition(name: &str) -> anyhow::Result<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
    let template = YamlLoader::load_from_str(&std::fs::read_to_string(path)?)?;
    let resources = template.first().map(|template| &template["Resources"]);
    let table = resources
        .and_then(Yaml::as_hash)
        .and_then(|resources| {
            let mut all = resources.values();
            all.find(|resource| resource["Type"].as_str() == Some("AWS::DynamoDB::Table"))
        })
        .context("The template has no table")?;
    let mut request = Map::from_iter([("TableName".to_owned(), json!(name))]);
    for property in SHARED {
        request.insert(property.to_owned(), to_json(&table["Properties"][property]));
    }
    Ok(request.into())
}

fn to_json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::String(text) => json!(text),
        Yaml::Integer(number) => json!(number),
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
