//! Searches the source code for the names of metrics and dimensions.

use std::path::Path;

use anyhow::ensure;

/// The source code of the functions, `payments` and `aws`.
pub struct Sources(String);

impl Sources {
    pub fn read() -> anyhow::Result<Self> {
        let mut all = String::new();
        for folder in ["functions", "shared/payments/src", "shared/aws/src"] {
            append(&mut all, &tools::root().join(folder))?;
        }
        Ok(Self(all))
    }

    /// Checks that the code has a name as a string literal.
    pub fn ensure_have(&self, name: &str) -> anyhow::Result<()> {
        let is_written = self.0.contains(&format!("\"{name}\""));
        ensure!(is_written, "no function writes {name}");
        Ok(())
    }
}

fn append(all: &mut String, folder: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            append(all, &path)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&std::fs::read_to_string(&path)?);
        }
    }
    Ok(())
}
