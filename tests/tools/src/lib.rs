//! Runs programs that end with this process, and installs pinned tools. The Python scripts in `infra/tools` do this
//! work, because the deployment also uses these scripts.

mod install;
mod python;
pub mod signals;
pub mod supervised;

use std::path::{Path, PathBuf};

pub use crate::supervised::{Supervised, Supervisor};

/// Returns the root of the workspace.
pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap_or(root)
}
