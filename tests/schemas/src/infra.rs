//! Reads files of the folder `infra`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Map, Value, json};
use yaml_rust2::{Yaml, YamlLoader};

/// Reads a YAML file of `infra`. Tags such as `!Ref` are ignored.
pub fn yaml(name: &str) -> anyhow::Result<Value> {
    let documents = YamlLoader::load_from_str(&std::fs::read_to_string(path(name))?)?;
    Ok(documents.first().map_or(Value::Null, to_json))
}

/// Reads a JSON file of `infra`.
pub(crate) fn json(name: &str) -> anyhow::Result<Value> {
    let text = std::fs::read(path(name)).with_context(|| name.to_owned())?;
    serde_json::from_slice(&text).with_context(|| format!("{name} is not JSON"))
}

pub(crate) fn path(name: &str) -> PathBuf {
    let infra = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra");
    infra.join(name)
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
