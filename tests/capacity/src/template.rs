//! What `infra/template.yaml` says: settings, indexes, and what costs money by being there.

use anyhow::Context;
use serde_json::Value;

use crate::units::KeysOnlyIndex;

/// The template.
#[derive(Debug, Clone)]
pub struct Template(Value);

impl Template {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn read() -> anyhow::Result<Self> {
        Ok(Self(schemas::yaml("template.yaml")?))
    }

    /// The default of a parameter that is a number.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn number(&self, parameter: &str) -> anyhow::Result<f64> {
        let default = self.0.pointer(&format!("/Parameters/{parameter}/Default"));
        let number = default.and_then(|default| match default {
            Value::String(text) => text.parse().ok(),
            default => default.as_f64(),
        });
        number.with_context(|| format!("{parameter} has no number as its default"))
    }

    /// The indexes of the table.
    ///
    /// # Errors
    ///
    /// When one holds more than keys, for which this does not know the price.
    pub fn indexes(&self) -> anyhow::Result<Vec<KeysOnlyIndex>> {
        let indexes = self.at("/Resources/Table/Properties/GlobalSecondaryIndexes")?;
        let indexes = indexes.as_array().into_iter().flatten();
        indexes.map(index).collect()
    }

    /// How many resources there are of a type, without those that are there only on demand.
    pub fn count(&self, kind: &str) -> usize {
        let resources = self.0.get("Resources").and_then(Value::as_object);
        let resources = resources.into_iter().flat_map(|all| all.values());
        let of_kind = resources.filter(|one| text(one, "/Type") == Some(kind));
        of_kind
            .filter(|one| text(one, "/Condition") != Some("ConsumeSample"))
            .count()
    }

    /// GB of memory that a function has, unless it says otherwise itself.
    ///
    /// # Errors
    ///
    /// When the template does not say.
    pub fn memory_gb(&self) -> anyhow::Result<f64> {
        let megabytes = self.at("/Globals/Function/MemorySize")?.as_f64();
        Ok(megabytes.context("no number")? / 1_024.0)
    }

    /// Seconds after which a function is ended.
    ///
    /// # Errors
    ///
    /// When the template does not say.
    pub fn timeout_s(&self, function: &str) -> anyhow::Result<f64> {
        let timeout = self.at(&format!("/Resources/{function}/Properties/Timeout"))?;
        timeout.as_f64().context("no number")
    }

    /// About how long the line is that the API logs of a call: what varies is mostly this short.
    ///
    /// # Errors
    ///
    /// When it logs none.
    pub fn access_log_bytes(&self) -> anyhow::Result<f64> {
        let format = self.at("/Resources/ApiStage/Properties/AccessLogSettings/Format")?;
        let format = format.as_str().context("no text")?;
        let constant: usize = format
            .split("$context.")
            .map(|part| part.trim_start_matches(char::is_alphanumeric).len())
            .sum();
        let variables = format.matches("$context.").count();
        // CloudWatch counts 26 bytes more for each line.
        Ok((constant + 16 * variables + 26) as f64)
    }

    fn at(&self, pointer: &str) -> anyhow::Result<&Value> {
        let value = self.0.pointer(pointer);
        value.with_context(|| format!("the template has no {pointer}"))
    }
}

fn index(index: &Value) -> anyhow::Result<KeysOnlyIndex> {
    let name = text(index, "/IndexName").context("an index without a name")?;
    let projected = text(index, "/Projection/ProjectionType");
    anyhow::ensure!(projected == Some("KEYS_ONLY"), "{name} has more than keys");
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
