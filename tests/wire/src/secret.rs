//! A secret: its versions, and the labels that move from one to another.
//!
//! Source: Secrets Manager's API reference, `PutSecretValue` and `UpdateSecretVersionStage`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// Any secret there is.
#[derive(Debug, Default)]
pub(crate) struct Secret {
    versions: BTreeMap<String, String>,
    /// The version of each label.
    labels: BTreeMap<String, String>,
}

impl Secret {
    /// Puts a value in, as somebody does who has not looked what was there.
    pub(crate) fn set(&mut self, value: &str) {
        let version = format!("version-{}", self.versions.len());
        self.versions.insert(version.clone(), value.to_owned());
        self.attach(CURRENT, &version);
    }

    /// The labels that versions have.
    pub(crate) fn labels(&self) -> Vec<String> {
        self.labels.keys().cloned().collect()
    }

    /// The answer to a call.
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
        let before = self.versions.insert(version.to_owned(), value.to_owned());
        if before.is_none() {
            let first = is_first.then_some(CURRENT);
            for label in labels.iter().copied().chain(first) {
                self.attach(label, version);
            }
        }
        let its = self.labels.iter().filter(|(_, its)| *its == version);
        let stages: Vec<&String> = its.map(|(label, _)| label).collect();
        (
            200,
            json!({ "VersionId": version, "VersionStages": stages }),
        )
    }

    fn move_label(&mut self, label: &str, to: Option<&str>, from: Option<&str>) -> (u16, Value) {
        let holder = self.labels.get(label).map(String::as_str);
        let may = match to {
            Some(_) => holder == from,
            None => from.is_some() && holder == from,
        };
        if !may {
            return refusal("InvalidParameterException");
        }
        match to {
            Some(to) => self.attach(label, to),
            None => drop(self.labels.remove(label)),
        }
        (200, json!({}))
    }

    fn attach(&mut self, label: &str, version: &str) {
        let before = self.labels.insert(label.to_owned(), version.to_owned());
        if label == CURRENT
            && let Some(before) = before
        {
            self.labels.insert(PREVIOUS.to_owned(), before);
        }
    }
}

fn refusal(code: &str) -> (u16, Value) {
    (400, json!({ "__type": code, "message": "refused" }))
}
