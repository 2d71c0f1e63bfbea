//! Creates the folders of the sandboxes, inside cargo's target folder.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;

// The logs stay for this time after the start of a sandbox, so that a developer can read them after a failed test.
const KEEP_LOGS: Duration = Duration::from_secs(24 * 3600);

/// Returns the parent of all sandbox folders.
pub fn sandboxes() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty());
    let target = target.unwrap_or_else(|| "target".into());
    tools::root().join(target).join("sandbox")
}

/// The folder of one sandbox, which is locked while the sandbox runs.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The files of the local AWS. They can be large, so they are deleted at the end of the sandbox.
    state: Option<TempDir>,
    _lock: File,
}

impl Folder {
    /// Creates a folder, and deletes old files of ended sandboxes.
    pub fn new() -> anyhow::Result<Self> {
        let parent = sandboxes();
        let create = || -> std::io::Result<Self> {
            std::fs::create_dir_all(&parent)?;
            sweep(&parent);
            let path = tempfile::Builder::new()
                .prefix("run-")
                .tempdir_in(&parent)?
                .keep();
            let lock = File::create(path.join("lock"))?;
            lock.lock()?;
            let state = Some(
                tempfile::Builder::new()
                    .prefix("state-")
                    .tempdir_in(&path)?,
            );
            Ok(Self {
                path,
                state,
                _lock: lock,
            })
        };
        create().with_context(|| format!("{} cannot be written", parent.display()))
    }

    /// Returns the path of a file that stays for at least a day after the start.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Returns the folder whose files are deleted at the end of the sandbox.
    pub fn state(&self) -> &Path {
        self.state.as_ref().map_or(&self.path, TempDir::path)
    }
}

/// Deletes the state of each ended sandbox, and its whole folder after a day. Ignores errors, because another process
/// can delete the same files at the same time.
fn sweep(parent: &Path) {
    for folder in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let folder = folder.path();
        let Ok(lock) = File::options().write(true).open(folder.join("lock")) else {
            continue;
        };
        if lock.try_lock().is_err() {
            continue;
        }
        let age = lock
            .metadata()
            .and_then(|data| data.modified())
            .ok()
            .and_then(|made| made.elapsed().ok());
        if age.is_some_and(|age| age > KEEP_LOGS) {
            let _ = std::fs::remove_dir_all(&folder);
            continue;
        }
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with("state-") {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    }
}
