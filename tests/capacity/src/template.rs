//! Reads settings and resources of `infra/template.yaml`.

use anyhow::Context;
use serde_json::Value;

use crate::units::KeysOnlyIndex;

/// The parsed template.
#[derive(Debug, Clone)]
pub struct Template(Value);

impl Template {
    /// Reads the template.
    pub fn read() -> anyhow::Result<Self> {
        Ok(Self(schemas::yaml("template.yaml")?))
    }

    /// Returns the numeric default of a parameter.
    pub fn number(&self, parameter: &str) -> anyhow::Result<f64> {
        let default = self.0.pointer(&format!("/Parameters/{parameter}/Default"));
        let number = default.and_then(|default| match default {
            Value::String(text) => text.parse().ok(),
            default => default.as_f64(),
        });
        number.with_context(|| format!("{parameter} has no number as its default"))
    }

    /// Returns the indexes of the table. Fails for an index with other attributes than keys, because the calculation
    /// covers only keys.
    pub fn indexes(&self) -> anyhow::Result<Vec<KeysOnlyIndex>> {
        let indexes = self.at("/Resources/Table/Properties/GlobalSecondaryIndexes")?;
        let indexes = indexes.as_array().into_iter().flatten();
        indexes.map(index).collect()
    }

    /// Returns the number of resources of a type, without those that only a parameter adds.
    pub fn count(&self, kind: &str) -> usize {
        let resources = self.0.get("Resources").and_then(Value::as_object);
        let resources = resources.into_iter().flat_map(|all| all.values());
        let of_kind = resources.filter(|resource| text(resource, "/Type") == Some(kind));
        of_kind
            .filter(|resource| resource.get("Condition").is_none())
            .count()
    }

    /// Returns the memory in GB of a function, such as `sweeper`.
    pub fn memory_gb(&self, function: &str) -> anyhow::Result<f64> {
        let resources = self.at("/Resources")?.as_object();
        let mut resources = resources.into_iter().flatten();
        let resource = format!("{function}function");
        let own = resources.find(|(name, _)| name.to_lowercase() == resource);
        let own = own.and_then(|(_, function)| function.pointer("/Properties/MemorySize"));
        let megabytes = match own {
            Some(own) => own.as_f64(),
            None => self.at("/Globals/Function/MemorySize")?.as_f64(),
        };
        Ok(megabytes.context("MemorySize is not a number")? / 1_024.0)
    }

    /// Returns the time-out of a function in seconds.
    pub fn timeout_s(&self, function: &str) -> anyhow::Result<f64> {
        let timeout = self.at(&format!("/Resources/{function}/Properties/Timeout"))?;
        timeout.as_f64().context("Timeout is not a number")
    }

    /// Returns the estimated size of an access log line. Each variable counts as 16 bytes.
    pub fn access_log_bytes(&self) -> anyhow::Result<f64> {
        let format = self.at("/Resources/ApiStage/Properties/AccessLogSettings/Format")?;
        let format = format.as_str().context("Format is not a text")?;
        let constant: usize = format
            .split("$context.")
            .map(|part| part.trim_start_matches(char::is_alphanumeric).len())
            .sum();
        let variables = format.matches("$context.").count();
        // CloudWatch adds 26 bytes to each line.
        Ok((constant + 16 * variables + 26) as f64)
    }

    fn at(&self, pointer: &str) -> anyhow::Result<&Value> {
        let value = self.0.pointer(pointer);
        value.with_context(|| format!("the template has no {pointer}"))
    }
}

fn index(index: &Value) -> anyhow::Result<KeysOnlyIndex> {
    let name = text(index, "/IndexName").context("an index has no name")?;
    let projected = text(index, "/Projection/ProjectionType");
    anyhow::ensure!(
        projected == Some("KEYS_ONLY"),
        "{name} contains attributes other than keys"
    );
    let keys = index.get("KeySchema").and_then(Value::as_array);
    let names = keys.into_iter().flatten();
    let names = names.filter_map(|key| text(key, "/AttributeName"));
    Ok(KeysOnlyIndex {
        name: name.to_owned(),
        attributes: names.map(str::to_owned).collect(),
    })
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}
