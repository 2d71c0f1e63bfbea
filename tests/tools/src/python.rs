//! Finds Python.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;

const NAMES: [&str; 6] = [
    "python3",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python",
];

/// Checks the version, and prints the path of the interpreter. This path can differ from the path of the program,
/// because a program named `python3` can be the wrapper of a version manager.
const CHECK: &str = "import sys; assert sys.version_info >= (3, 10); print(sys.executable)";

/// Finds Python 3.10 or newer: the program in the variable `PYTHON`, or else the first of [`NAMES`] on the search path.
pub(crate) fn find() -> anyhow::Result<PathBuf> {
    if let Some(name) = std::env::var_os("PYTHON").filter(|name| !name.is_empty()) {
        return interpreter(&name).with_context(|| {
            let name = name.display();
            format!("PYTHON names {name}, which is not Python 3.10 or newer")
        });
    }
    NAMES.iter().find_map(interpreter).context(
        "Python is missing: install Python 3.10 or newer, or name it in the variable PYTHON",
    )
}

fn interpreter(name: impl AsRef<OsStr>) -> Option<PathBuf> {
    let output = Command::new(name)
        .args(["-I", "-c", CHECK])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    let path = path.trim_end();
    (output.status.success() && !path.is_empty()).then(|| path.into())
}
