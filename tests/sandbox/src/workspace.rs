//! Creates a folder for each sandbox, below cargo's target folder.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;

// The logs of a sandbox are kept for this time after its start, so that a developer can inspect a failed test.
const KEEP_LOGS: Duration = Duration::from_secs(24 * 3600);

/// Returns the folder that contains the folders of all sandboxes.
pub fn sandboxes() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty());
    let target = target.unwrap_or_else(|| "target".into());
    tools::root().join(target).join("sandbox")
}

/// The folder of one sandbox. The folder is locked while the sandbox runs.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The folder for the files of the local AWS. The folder is deleted at the end of the sandbox, because the files
    /// can be large.
    state: Option<TempDir>,
    _lock: File,
}

impl Folder {
    /// Creates a folder, and deletes old files of sandboxes that have ended.
    ///
    /// # Errors
    ///
    /// When the target folder cannot be written.
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

    /// Returns the path of a file in the folder. The file stays for at least a day after the start of the sandbox.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Returns the folder for files that are deleted at the end of the sandbox.
    pub fn state(&self) -> &Path {
        self.state.as_ref().map_or(&self.path, TempDir::path)
    }
}

/// Deletes the state of each sandbox whose process has ended. If the sandbox started more than a day ago, deletes its
/// whole folder. Ignores errors, because another process may delete the same files.
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
