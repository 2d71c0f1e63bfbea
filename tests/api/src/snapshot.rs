//! Reads callbacks from `tests/data`, and compares answers with the stored answers in `tests/data`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use url::Url;

use crate::Answer;

/// Returns the path of a callback; `file` is relative to `tests/data/callbacks`.
pub fn callback(file: &str) -> PathBuf {
    data().join("callbacks").join(file)
}

/// Compares the status, headers and body of an answer with the stored answer `name`.
pub fn check(name: &str, route: &str, answer: &Answer) -> anyhow::Result<()> {
    let mut actual = json!({
        "route": route,
        "status": answer.status,
        "headers": answer.headers,
        "body": answer.json,
    });
    normalize(&mut actual);
    let path = data().join("responses").join(format!("{name}.json"));
    snapshots::check(&path, &format!("{actual:#}\n"))
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data")
}

/// Replaces the values that differ in each run.
fn normalize(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(normalize),
        Value::Array(values) => values.iter_mut().for_each(normalize),
        Value::String(text) if text.contains("&best_before=") => normalize_link(text),
        Value::String(text) => *text = snapshots::without_timestamps(text),
        _ => {}
    }
}

fn normalize_link(link: &mut String) {
    let Ok(mut url) = Url::parse(link) else {
        return;
    };
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    url.query_pairs_mut().clear().extend_pairs(pairs.iter().map(
        |(name, value)| match name.as_str() {
            "best_before" | "signature" => (name.as_str(), "differs"),
            _ => (name.as_str(), value.as_str()),
        },
    ));
    *link = url.into();
}
