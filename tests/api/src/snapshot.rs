//! Answers held against the ones in `tests/data/responses`.
//!
//! With the variable `UPDATE_SNAPSHOTS` set they are written instead; what changed is then for the
//! eyes of whoever commits it.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
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
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, format!("{seen:#}\n"))?;
        return Ok(());
    }
    let kept = std::fs::read(&path).with_context(|| format!("{} is missing", path.display()))?;
    let kept: Value = serde_json::from_slice(&kept)?;
    ensure!(
        seen == kept,
        "{name} is no longer as kept; UPDATE_SNAPSHOTS=1 keeps it as it is now:\n{seen:#}\ninstead of\n{kept:#}"
    );
    Ok(())
}

/// What differs from run to run, the same each time: moments, and what is signed with one.
fn still(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(still),
        Value::Array(values) => values.iter_mut().for_each(still),
        Value::String(text) if is_moment(text) => *text = "2026-01-01T00:00:00Z".to_owned(),
        Value::String(text) if text.contains("&best_before=") => still_link(text),
        _ => {}
    }
}

fn is_moment(text: &str) -> bool {
    let shape = "0000-00-00T00:00:00";
    let fits = |(byte, shape): (u8, u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        other => byte == other,
    };
    text.len() > shape.len() && text.ends_with('Z') && text.bytes().zip(shape.bytes()).all(fits)
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
