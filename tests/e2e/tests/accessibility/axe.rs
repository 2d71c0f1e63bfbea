//! axe-core, the checker, run inside a page.

use std::path::Path;

use anyhow::Context;
use chromiumoxide::Page;
use chromiumoxide::cdp::js_protocol::runtime::EvaluateParams;
use sandbox::python;
use sandbox::supervised::Supervisor;
use serde::de::DeserializeOwned;

/// What the checker finds wrong, and what it cannot decide, each in a line.
const RUN: &str = r#"
axe.run().then(found => found.violations.concat(found.incomplete).flatMap(fault =>
    fault.nodes.map(node => `${fault.id}: ${fault.help}: ${node.html}`)))
"#;

/// The checker's script.
pub struct Axe(String);

impl Axe {
    /// The pinned one, fetched if it is not there yet.
    pub async fn install(python: &python::Python, supervisor: &Supervisor) -> anyhow::Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/accessibility");
        let interpreter = python::environment(python, supervisor).await?;
        let requirements = here.join("requirements.txt");
        let files = python::files(&interpreter, supervisor, &requirements).await?;
        let script = files.join("axe_playwright_python/axe.min.js");
        let script = std::fs::read_to_string(&script).with_context(|| {
            let script = script.display();
            format!("axe-core is not at {script}: remove that folder, it is fetched again")
        })?;
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
