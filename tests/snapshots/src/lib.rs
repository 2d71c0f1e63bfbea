//! Compares texts with stored snapshots, for tests.
//!
//! If the variable `UPDATE_SNAPSHOTS` is set, the texts are stored instead. Review the changed files before you commit
//! them.

use std::path::Path;

use anyhow::{Context, ensure};

/// The timestamp that [`without_timestamps`] writes.
pub const TIMESTAMP: &str = "2026-01-01T00:00:00Z";

/// A timestamp without its fraction and its `Z`. Each 0 stands for any digit.
const PATTERN: &[u8] = b"0000-00-00T00:00:00";

/// Compares a text with a file.
pub fn check(path: &Path, actual: &str) -> anyhow::Result<()> {
    if is_update() {
        return write(path, actual);
    }
    let stored = read(path)?;
    compare(&path.display().to_string(), &stored, actual)
}

/// Compares a text with the part of a document between `<!-- name -->` and `<!-- end -->`.
pub fn check_block(path: &Path, name: &str, actual: &str) -> anyhow::Result<()> {
    let document = read(path)?;
    let marker = format!("<!-- {name} -->\n");
    let (before, rest) = document
        .split_once(&marker)
        .with_context(|| format!("{} has no {marker}", path.display()))?;
    let (stored, after) = rest
        .split_once("<!-- end -->")
        .with_context(|| format!("{}: {marker} has no end", path.display()))?;
    let actual = format!("\n{}\n\n", actual.trim());
    if is_update() {
        return write(
            path,
            &format!("{before}{marker}{actual}<!-- end -->{after}"),
        );
    }
    compare(
        &format!("{}, block {name},", path.display()),
        stored,
        &actual,
    )
}

fn is_update() -> bool {
    std::env::var_os("UPDATE_SNAPSHOTS").is_some()
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} is missing", path.display()))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Ok(std::fs::write(path, text)?)
}

fn compare(what: &str, stored: &str, actual: &str) -> anyhow::Result<()> {
    ensure!(
        stored == actual,
        "{what} differs; UPDATE_SNAPSHOTS=1 stores the new text:\n{actual}\ninstead of\n{stored}"
    );
    Ok(())
}

/// Replaces each timestamp in a text by [`TIMESTAMP`].
pub fn without_timestamps(text: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = timestamp_length(rest).unwrap_or_default();
        match length {
            0 => replaced.push(first),
            _ => replaced.push_str(TIMESTAMP),
        }
        rest = rest.get(length.max(first.len_utf8())..).unwrap_or_default();
    }
    replaced
}

/// Returns the length in bytes of a timestamp at the start of the text, or `None`.
fn timestamp_length(text: &str) -> Option<usize> {
    let fits = |(byte, pattern): (u8, &u8)| match pattern {
        b'0' => byte.is_ascii_digit(),
        pattern => byte == *pattern,
    };
    let rest = text.get(PATTERN.len()..)?;
    let rest = text.bytes().zip(PATTERN).all(fits).then_some(rest)?;
    let fraction = rest.find(|next: char| next != '.' && !next.is_ascii_digit())?;
    let is_utc = rest.get(fraction..)?.starts_with('Z');
    is_utc.then_some(PATTERN.len() + fraction + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_timestamps_are_replaced() {
        let text =
            "at 2027-03-04T05:06:07.123Z, é 2027-03-04T05:06:07Z\nuntil 2027-03-04 and 12:30";
        let replaced = format!("at {TIMESTAMP}, é {TIMESTAMP}\nuntil 2027-03-04 and 12:30");
        assert_eq!(without_timestamps(text), replaced);
    }
}
