//! Reads the vectors and callbacks in `tests/data`.

use std::path::PathBuf;

use serde_json::Value;

/// Returns the path of a file in `tests/data`.
pub fn data(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data")
        .join(path)
}

pub fn json(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(data(path)).unwrap()).unwrap()
}
