//! Measures log lines, and counts their metrics.

use std::collections::BTreeSet;

use anyhow::Context;
use serde_json::{Value, json};

/// CloudWatch charges these bytes for each line in addition to its text.
const LINE_OVERHEAD: usize = 26;

/// Returns the bytes that CloudWatch charges for log lines. To make the result constant, a duration counts as two
/// digits, and a time without its fraction.
pub fn size(lines: &[String]) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for line in lines {
        let mut line: Value = serde_json::from_str(line).with_context(|| line.clone())?;
        for (name, value) in line.as_object_mut().into_iter().flatten() {
            if name.ends_with("_ms") || name.ends_with("_s") {
                *value = json!(10);
            }
        }
        bytes += snapshots::without_timestamps(&line.to_string()).len() + LINE_OVERHEAD;
    }
    Ok(u64::try_from(bytes)?)
}

/// Counts the different CloudWatch metrics in log lines. Metrics differ if their names or the values of their
/// dimensions differ.
pub fn metrics<'a>(lines: impl Iterator<Item = &'a String>) -> anyhow::Result<u64> {
    let mut seen = BTreeSet::new();
    for line in lines {
        let line: Value = serde_json::from_str(line)?;
        let directives = line["_aws"]["CloudWatchMetrics"].as_array();
        for directive in directives.into_iter().flatten() {
            for dimensions in directive["Dimensions"].as_array().into_iter().flatten() {
                let dimensions = dimensions.as_array().into_iter().flatten();
                let dimensions: Vec<_> = dimensions
                    .filter_map(|name| Some((name.clone(), line.get(name.as_str()?)?.clone())))
                    .collect();
                let names = directive["Metrics"].as_array().into_iter().flatten();
                seen.extend(names.map(|metric| format!("{} {dimensions:?}", metric["Name"])));
            }
        }
    }
    Ok(u64::try_from(seen.len())?)
}
