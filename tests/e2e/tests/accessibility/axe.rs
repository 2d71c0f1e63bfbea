//! Runs axe-core, an accessibility checker, inside a page.

use anyhow::Context;
use tools::Supervisor;

use crate::devtools::Page;

/// Returns a line for each faulty element, and for each element that axe-core cannot judge.
const RUN: &str = r#"
axe.run().then(found => found.violations.concat(found.incomplete).flatMap(fault =>
    fault.nodes.map(node => `${fault.id}: ${fault.help}: ${node.html}`)))
"#;

/// The script of axe-core.
pub struct Axe(String);

impl Axe {
    /// Installs the pinned axe-core.
    pub async fn install(supervisor: &Supervisor) -> anyhow::Result<Self> {
        let pins = "tests/e2e/tests/accessibility/requirements.txt";
        let library = supervisor.install(pins).await?.join("lib");
        // The only entry of `lib` is a folder with the version of Python in its name.
        let python = std::fs::read_dir(&library)?
            .next()
            .context("The installed axe-core has no folder of Python")??;
        let script = python
            .path()
            .join("site-packages/axe_playwright_python/axe.min.js");
        let script = std::fs::read_to_string(&script)
            .with_context(|| format!("axe-core is not at {}", script.display()))?;
        Ok(Self(script))
    }

    pub async fn faults(&self, page: &Page) -> anyhow::Result<Vec<String>> {
        // The browser cannot return the script's value, so the expression ends with `true`.
        let _: bool = page.evaluate(&format!("{};\ntrue", self.0)).await?;
        page.evaluate(RUN).await
    }
}
