//! Controls a tab of the browser, and waits until a page has the expected content.

use anyhow::{Context, ensure};
use chromiumoxide::cdp::browser_protocol::emulation::SetScriptExecutionDisabledParams;
use chromiumoxide::{Element, Page};
use e2e::eventually;

use crate::screenshots;

/// A tab of the browser. A page can reload itself while a method waits.
pub struct Tab(pub Page);

impl Tab {
    pub async fn open(&self, address: &str) -> anyhow::Result<()> {
        let opened = self.0.goto(address).await;
        opened.with_context(|| format!("{address} cannot be opened"))?;
        Ok(())
    }

    /// Brings this tab to the front, because Chromium slows down tabs in the background.
    pub async fn bring_to_front(&self) -> anyhow::Result<()> {
        self.0.bring_to_front().await?;
        Ok(())
    }

    /// Disables scripts in this tab.
    pub async fn disable_scripts(&self) -> anyhow::Result<()> {
        let disabled = SetScriptExecutionDisabledParams::new(true);
        self.0.execute(disabled).await?;
        Ok(())
    }

    /// Returns the URL of the page.
    pub async fn address(&self) -> anyhow::Result<String> {
        Ok(self.0.url().await?.unwrap_or_default())
    }

    /// Waits for an element, and returns its text.
    pub async fn text(&self, selector: &str) -> anyhow::Result<String> {
        let text = async || self.try_text(selector).await;
        self.until(&format!("the text of {selector}"), text).await
    }

    /// Waits until an element has a text.
    pub async fn shows(&self, selector: &str, expected: &str) -> anyhow::Result<()> {
        let what = format!("{expected} in {selector}");
        let text = async || self.try_text(selector).await;
        let shown = async || text().await.filter(|text| text == expected);
        self.until(&what, shown).await.map(drop)
    }

    pub async fn has(&self, selector: &str) -> bool {
        self.find(selector).await.is_some()
    }

    /// Waits for an element, and clicks on it.
    pub async fn click(&self, selector: &str) -> anyhow::Result<()> {
        // The page can reload itself between the search and the click.
        let clicked = async || {
            let element = self.find(selector).await?;
            element.click().await.ok().map(drop)
        };
        self.until(&format!("a click on {selector}"), clicked).await
    }

    /// Like [`Tab::click`], but without scrolling, because scrolling needs scripts.
    pub async fn click_in_place(&self, selector: &str) -> anyhow::Result<()> {
        let clicked = async || {
            let element = self.find(selector).await?;
            let point = element.clickable_point().await.ok()?;
            self.0.click(point).await.ok().map(drop)
        };
        self.until(&format!("a click on {selector}"), clicked).await
    }

    /// Waits for a field, and replaces its value.
    pub async fn fill(&self, selector: &str, value: &str) -> anyhow::Result<()> {
        let field = async || self.find(selector).await;
        let field = self.until(&format!("the field {selector}"), field).await?;
        let empty = "function() { this.value = ''; }";
        field.call_js_fn(empty, false).await?;
        field.focus().await?.type_str(value).await?;
        let filled = self.value(selector).await?;
        ensure!(filled == value, "{selector} has the value {filled}");
        Ok(())
    }

    pub async fn value(&self, selector: &str) -> anyhow::Result<String> {
        let field = self.0.find_element(selector).await?;
        let value = field
            .property("value")
            .await?
            .context("The field has no value")?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }

    pub async fn screenshot(&self, name: &str) -> anyhow::Result<()> {
        screenshots::save(&self.0, name).await
    }

    async fn find(&self, selector: &str) -> Option<Element> {
        self.0.find_element(selector).await.ok()
    }

    async fn try_text(&self, selector: &str) -> Option<String> {
        self.find(selector).await?.inner_text().await.ok()?
    }

    /// Polls until there is a value. The error shows the text of the page.
    async fn until<T>(
        &self,
        what: &str,
        mut poll: impl AsyncFnMut() -> Option<T>,
    ) -> anyhow::Result<T> {
        let found = eventually(what, async || Ok(poll().await)).await;
        if found.is_ok() {
            return found;
        }
        let (address, page) = (self.address().await?, self.try_text("body").await);
        found.with_context(|| format!("{address} shows {page:?}"))
    }
}
