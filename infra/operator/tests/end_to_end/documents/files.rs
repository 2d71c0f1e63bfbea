//! Finds and reads the documents and other files of the repository.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// These folders contain no documents of this repository. Hidden folders are skipped too, except for `.github`.
const SKIPPED: [&str; 2] = ["node_modules", "target"];

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Reads a file. The path starts at the root of the repository.
pub fn read(path: impl AsRef<Path>) -> anyhow::Result<String> {
    let path = path.as_ref();
    std::fs::read_to_string(root().join(path)).with_context(|| path.display().to_string())
}

/// Returns the folders in a folder, without the hidden and the skipped folders. All paths start at the root of the
/// repository.
pub fn folders(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join(folder))? {
        let entry = entry?;
        let name = entry.file_name();
        let is_skipped = is_hidden(&name) || SKIPPED.iter().any(|skipped| name == *skipped);
        if entry.file_type()?.is_dir() && !is_skipped {
            found.push(folder.join(name));
        }
    }
    found.sort();
    Ok(found)
}

/// Returns all files with this extension in a folder and below it. All paths start at the root of the repository.
pub fn with_extension(folder: &Path, extension: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join(folder))? {
        let path = folder.join(entry?.file_name());
        if path.extension() == Some(OsStr::new(extension)) {
            found.push(path);
        }
    }
    for folder in folders(folder)? {
        found.extend(with_extension(&folder, extension)?);
    }
    found.sort();
    Ok(found)
}

/// Returns all documents in Markdown. The paths start at the root of the repository.
pub fn documents() -> anyhow::Result<Vec<PathBuf>> {
    let mut found = with_extension(Path::new(""), "md")?;
    found.extend(with_extension(Path::new(".github"), "md")?);
    Ok(found)
}

fn is_hidden(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with('.')
}
