//! axe-core, the checker, run inside a page.

use anyhow::Context;
use chromiumoxide::Page;
use chromiumoxide::cdp::js_protocol::runtime::EvaluateParams;
use serde::de::DeserializeOwned;
use tools::Supervisor;

/// What the checker finds wrong, and what it cannot decide, each in a line.
const RUN: &str = r#"
axe.run().then(found => found.violations.concat(found.incomplete).flatMap(fault =>
    fault.nodes.map(node => `${fault.id}: ${fault.help}: ${node.html}`)))
"#;

/// The checker's script.
pub struct Axe(String);

impl Axe {
    /// The pinned one, fetched if it is not there yet.
    pub async fn install(supervisor: &Supervisor) -> anyhow::Result<Self> {
        let pins = "tests/e2e/tests/accessibility/requirements.txt";
        let library = supervisor.install(pins).await?.join("lib");
        // The only entry has the version of Python in its name.
        let python = std::fs::read_dir(&library)?.next().context("No Python")??;
        let script = python
            .path()
            .join("site-packages/axe_playwright_python/axe.min.js");
        let script = std::fs::read_to_string(&script)
            .with_context(|| format!("axe-core is not at {}", script.display()))?;
        Ok(Self(script))
    }

    /// The faults of a page.
    pub async fn faults(&self, page: &Page) -> anyhow::Result<Vec<String>> {
        // As an expression of a statement each: the script's own value is of no use.
        let _: bool = evaluate(page, &format!("{};\ntrue", self.0)).await?;
        evaluate(page, RUN).await
    }
}

/// The value of an expression in a page, once it is there.
pub async fn evaluate<T: DeserializeOwned>(page: &Page, expression: &str) -> anyhow::Result<T> {
    let wanted = EvaluateParams::builder()
        .expression(expression)
        .await_promise(true)
        .return_by_value(true)
        .build()
        .map_err(anyhow::Error::msg)?;
    let value = page.evaluate_expression(wanted).await?;
    value.into_value().context("A page has no such value")
}
