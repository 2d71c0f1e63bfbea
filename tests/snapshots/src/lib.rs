//! What was written, held against what was kept.
//!
//! With the variable `UPDATE_SNAPSHOTS` set it is kept anew; what changed is then for the eyes of
//! whoever commits it.

use std::path::Path;

use anyhow::{Context, ensure};

/// The moment that stands for every other one.
pub const MOMENT: &str = "2026-01-01T00:00:00Z";

/// The form in which moments are written, with or without a fraction.
const FORM: &[u8] = b"0000-00-00T00:00:00";

/// Compares a text with what was kept in a file.
///
/// # Errors
///
/// When they differ, or nothing was kept.
pub fn check(path: &Path, seen: &str) -> anyhow::Result<()> {
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, seen)?;
        return Ok(());
    }
    let kept = std::fs::read_to_string(path);
    let kept = kept.with_context(|| format!("{} is missing", path.display()))?;
    ensure!(
        seen == kept,
        "{} is no longer as kept; UPDATE_SNAPSHOTS=1 keeps it as it is now:\n{seen}\ninstead of\n{kept}",
        path.display()
    );
    Ok(())
}

/// Compares a text with the block of a document that stands between `<!-- name -->` and `<!-- end -->`.
///
/// # Errors
///
/// When they differ, or the document has no such block.
pub fn check_block(path: &Path, name: &str, seen: &str) -> anyhow::Result<()> {
    let document = std::fs::read_to_string(path)?;
    let marker = format!("<!-- {name} -->\n");
    let (before, rest) = document
        .split_once(&marker)
        .with_context(|| format!("{} has no {marker}", path.display()))?;
    let (kept, after) = rest
        .split_once("<!-- end -->")
        .with_context(|| format!("{}: {marker} has no end", path.display()))?;
    let seen = format!("\n{}\n\n", seen.trim());
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(path, format!("{before}{marker}{seen}<!-- end -->{after}"))?;
        return Ok(());
    }
    ensure!(
        kept == seen,
        "{}: the block {name} is no longer right; UPDATE_SNAPSHOTS=1 writes it as it is now:\n{seen}\ninstead of\n{kept}",
        path.display()
    );
    Ok(())
}

/// A text in which all moments are the same.
pub fn without_moments(text: &str) -> String {
    let mut still = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = moment(rest).unwrap_or_default();
        match length {
            0 => still.push(first),
            _ => still.push_str(MOMENT),
        }
        rest = rest.get(length.max(first.len_utf8())..).unwrap_or_default();
    }
    still
}

/// The length of the moment that a text begins with.
fn moment(text: &str) -> Option<usize> {
    let fits = |(byte, form): (u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        form => byte == *form,
    };
    let rest = text.get(FORM.len()..)?;
    let rest = text.bytes().zip(FORM).all(fits).then_some(rest)?;
    let fraction = rest.find(|one: char| one != '.' && !one.is_ascii_digit())?;
    let is_utc = rest.get(fraction..)?.starts_with('Z');
    is_utc.then_some(FORM.len() + fraction + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_stand_still_and_nothing_else_does() {
        let text =
            "at 2027-03-04T05:06:07.123Z, é 2027-03-04T05:06:07Z\nuntil 2027-03-04 and 12:30";
        let still = format!("at {MOMENT}, é {MOMENT}\nuntil 2027-03-04 and 12:30");
        assert_eq!(without_moments(text), still);
    }
}
