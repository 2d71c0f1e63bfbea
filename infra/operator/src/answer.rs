//! What was done, in one answer.

use std::io::Write;

use serde::Serialize;

/// Writes what was done: as a sentence, or as a line of JSON.
pub fn write(
    out: &mut dyn Write,
    json: bool,
    done: &impl Serialize,
    sentence: &str,
) -> anyhow::Result<()> {
    match json {
        true => writeln!(out, "{}", serde_json::to_string(done)?)?,
        false => writeln!(out, "{sentence}")?,
    }
    Ok(())
}
