//! Simulates a secret with its versions, and the labels of the versions.
//!
//! Source: Secrets Manager's API reference, `PutSecretValue` and `UpdateSecretVersionStage`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

#[derive(Debug, Default)]
pub(crate) struct Secret {
    versions: BTreeMap<String, String>,
    /// The version of each label.
    labels: BTreeMap<String, String>,
}

impl Secret {
    /// Adds a version with the label `AWSCURRENT`.
    pub(crate) fn set(&mut self, value: &str) {
        let version = format!("version-{}", self.versions.len());
        self.versions.insert(version.clone(), value.to_owned());
        self.attach(CURRENT, &version);
    }

    pub(crate) fn labels(&self) -> Vec<String> {
        self.labels.keys().cloned().collect()
    }

    /// Returns the status and the body of the answer.
    pub(crate) fn call(&mut self, operation: &str, request: &Value) -> (u16, Value) {
        let text = |name: &str| request.get(name).and_then(Value::as_str);
        let (version, value) = (text("ClientRequestToken"), text("SecretString"));
        match operation {
            "GetSecretValue" => self.get(),
            "PutSecretValue" => {
                let labels = request.get("VersionStages").and_then(Value::as_array);
                let labels: Vec<&str> = match labels {
                    Some(labels) => labels.iter().filter_map(Value::as_str).collect(),
                    None => vec![CURRENT],
                };
                self.put(
                    version.unwrap_or_default(),
                    value.unwrap_or_default(),
                    &labels,
                )
            }
            "UpdateSecretVersionStage" => {
                let label = text("VersionStage").unwrap_or_default();
                self.move_label(label, text("MoveToVersionId"), text("RemoveFromVersionId"))
            }
            _ => refusal("InvalidParameterException"),
        }
    }

    fn get(&self) -> (u16, Value) {
        let current = self.labels.get(CURRENT);
        match current.and_then(|version| Some((version, self.versions.get(version)?))) {
            None => refusal("ResourceNotFoundException"),
            Some((version, value)) => {
                let secret =
                    json!({ "Name": "secret", "VersionId": version, "SecretString": value });
                (200, secret)
            }
        }
    }

    fn put(&mut self, version: &str, value: &str, labels: &[&str]) -> (u16, Value) {
        let is_first = self.versions.is_empty();
        let replaced = self.versions.insert(version.to_owned(), value.to_owned());
        if replaced.is_none() {
            let first = is_first.then_some(CURRENT);
            for label in labels.iter().copied().chain(first) {
                self.attach(label, version);
            }
        }
        let attached = self.labels.iter().filter(|(_, other)| *other == version);
        let stages: Vec<&String> = attached.map(|(label, _)| label).collect();
        (
            200,
            json!({ "VersionId": version, "VersionStages": stages }),
        )
    }

    fn move_label(&mut self, label: &str, to: Option<&str>, from: Option<&str>) -> (u16, Value) {
        let holder = self.labels.get(label).map(String::as_str);
        let is_allowed = match to {
            Some(_) => holder == from,
            None => from.is_some() && holder == from,
        };
        if !is_allowed {
            return refusal("InvalidParameterException");
        }
        match to {
            Some(to) => self.attach(label, to),
            None => drop(self.labels.remove(label)),
        }
        (200, json!({}))
    }

    fn attach(&mut self, label: &str, version: &str) {
        let previous = self.labels.insert(label.to_owned(), version.to_owned());
        if label == CURRENT
            && let Some(previous) = previous
        {
            self.labels.insert(PREVIOUS.to_owned(), previous);
        }
    }
}

fn refusal(code: &str) -> (u16, Value) {
    (400, json!({ "__type": code, "message": "refused" }))
}
