//! Runs axe-core, an accessibility checker, inside a page.

use anyhow::Context;
use chromiumoxide::Page;
use chromiumoxide::cdp::js_protocol::runtime::EvaluateParams;
use serde::de::DeserializeOwned;
use tools::Supervisor;

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
        let _: bool = evaluate(page, &format!("{};\ntrue", self.0)).await?;
        evaluate(page, RUN).await
    }
}

/// Returns the value of an expression in a page. A promise is awaited.
pub async fn evaluate<T: DeserializeOwned>(page: &Page, expression: &str) -> anyhow::Result<T> {
    let parameters = EvaluateParams::builder()
        .expression(expression)
        .await_promise(true)
        .return_by_value(true)
        .build()
        .map_err(anyhow::Error::msg)?;
    let value = page.evaluate_expression(parameters).await?;
    value
        .into_value()
        .context("The expression has a value of another type")
}
