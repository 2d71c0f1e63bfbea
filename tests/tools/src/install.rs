//! Installs pinned tools with `infra/tools/install.py`.

use std::path::PathBuf;

use anyhow::ensure;

use crate::Supervisor;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/tools/install.py");

impl Supervisor {
    /// Installs the packages that the file `pins` lists, unless they are already installed. `pins` is a path in the
    /// workspace. Returns the folder of the packages. After a failure, the reason is on standard error.
    pub async fn install(&self, pins: &str) -> anyhow::Result<PathBuf> {
        let mut command = self.command(self.python());
        command.args(["-I", SCRIPT]).arg(crate::root().join(pins));
        let (status, output) = self.output(command).await?;
        ensure!(
            status.success(),
            "The packages of {pins} cannot be installed; the reason is above"
        );
        Ok(String::from_utf8(output)?.trim_end().into())
    }
}
