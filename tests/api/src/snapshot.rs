//! Answers held against the ones in `tests/data/responses`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use url::Url;

use crate::Answer;

/// What tests read.
pub fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data")
}

/// Compares status, headers and body with what was kept under a name.
///
/// # Errors
///
/// When they differ, or nothing was kept.
pub fn check(name: &str, route: &str, answer: &Answer) -> anyhow::Result<()> {
    let mut seen = json!({
        "route": route,
        "status": answer.status,
        "headers": answer.headers,
        "body": answer.json,
    });
    still(&mut seen);
    let path = data().join("responses").join(format!("{name}.json"));
    snapshots::check(&path, &format!("{seen:#}\n"))
}

/// What differs from run to run, the same each time: moments, and what is signed with one.
fn still(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(still),
        Value::Array(values) => values.iter_mut().for_each(still),
        Value::String(text) if text.contains("&best_before=") => still_link(text),
        Value::String(text) => *text = snapshots::without_timestamps(text),
        _ => {}
    }
}

fn still_link(link: &mut String) {
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
