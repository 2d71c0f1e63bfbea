//! Where things lie: the workspace, its target folder and the folder of one sandbox.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;

// Logs of sandboxes that are gone are kept this long, so that a failed test can be looked into.
const KEEP_LOGS: Duration = Duration::from_secs(24 * 3600);

/// The root of the workspace.
pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap_or(root)
}

/// Cargo's target folder.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty()) {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// The folder in which sandboxes live.
pub fn sandboxes() -> PathBuf {
    target().join("sandbox")
}

/// The folder of one sandbox, unique and locked as long as the sandbox lives.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// What the local AWS keeps; removed at the end, as it can be large.
    state: Option<TempDir>,
    _lock: File,
}

impl Folder {
    /// Makes a folder, and clears away what earlier sandboxes left behind when they were killed.
    ///
    /// # Errors
    ///
    /// When the target folder cannot be written.
    pub fn new() -> anyhow::Result<Self> {
        let parent = sandboxes();
        let make = || -> std::io::Result<Self> {
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
        make().with_context(|| format!("{} cannot be written", parent.display()))
    }

    /// A file in the folder; it stays for a day.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The folder for what is of no use after the end.
    pub fn state(&self) -> &Path {
        self.state.as_ref().map_or(&self.path, TempDir::path)
    }
}

/// Removes the state of sandboxes whose process is gone, and the rest of it after a day. Another process may be
/// doing the same, so nothing here can fail.
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
