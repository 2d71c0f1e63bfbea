//! Runs programs that are stopped when this process ends, and installs pinned tools. Both are done by the Python
//! scripts in `infra/tools`, which the deployment also uses.

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
