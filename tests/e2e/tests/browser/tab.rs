//! Controls a tab of the browser, and waits until a page has the expected content.

use anyhow::{Context, ensure};
use e2e::eventually;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::devtools::Page;
use crate::screenshots;

/// A tab of the browser. A page can reload itself while a method waits.
pub struct Tab(pub Page);

impl Tab {
    pub async fn open(&self, address: &str) -> anyhow::Result<()> {
        self.0.goto(address).await
    }

    /// Brings this tab to the front, because Chromium slows down tabs in the background.
    pub async fn bring_to_front(&self) -> anyhow::Result<()> {
        self.0.call("Page.bringToFront", json!({})).await.map(drop)
    }

    /// Disables the scripts of pages in this tab.
    pub async fn disable_scripts(&self) -> anyhow::Result<()> {
        let disabled = json!({ "value": true });
        let method = "Emulation.setScriptExecutionDisabled";
        self.0.call(method, disabled).await.map(drop)
    }

    /// Returns the URL of the page.
    pub async fn address(&self) -> anyhow::Result<String> {
        self.0.evaluate("location.href").await
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
        let found = self.of(selector, "true").await;
        found == Some(true)
    }

    /// Waits for an element, and clicks on its center.
    pub async fn click(&self, selector: &str) -> anyhow::Result<()> {
        let center = "(element.scrollIntoView({ block: 'center', behavior: 'instant' }), \
            [element.getClientRects()[0]].map(box => [box.x + box.width / 2, box.y + box.height / 2])[0])";
        let clicked = async || {
            // The page can reload itself between the search and the click.
            let point = self.of(selector, center).await?;
            self.press(point).await.ok()
        };
        self.until(&format!("a click on {selector}"), clicked).await
    }

    /// Waits for a field, and replaces its value.
    pub async fn fill(&self, selector: &str, value: &str) -> anyhow::Result<()> {
        let focused = async || {
            let focus = "(element.value = '', element.focus(), true)";
            self.of::<bool>(selector, focus).await
        };
        let what = format!("the field {selector}");
        self.until(&what, focused).await?;
        let text = json!({ "text": value });
        self.0.call("Input.insertText", text).await?;
        let filled = self.value(selector).await?;
        ensure!(filled == value, "{selector} has the value {filled}");
        Ok(())
    }

    pub async fn value(&self, selector: &str) -> anyhow::Result<String> {
        let value = self.of(selector, "element.value").await;
        value.with_context(|| format!("{selector} has no value"))
    }

    pub async fn screenshot(&self, name: &str) -> anyhow::Result<()> {
        screenshots::save(&self.0, name).await
    }

    async fn try_text(&self, selector: &str) -> Option<String> {
        self.of(selector, "element.innerText").await
    }

    /// Presses the left button of the mouse on a point of the visible part of the page.
    async fn press(&self, (x, y): (f64, f64)) -> anyhow::Result<()> {
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.0.call("Input.dispatchMouseEvent", event).await?;
        }
        Ok(())
    }

    /// Returns the value of a JavaScript expression about `element`, the first element of a selector.
    async fn of<T: DeserializeOwned>(&self, selector: &str, expression: &str) -> Option<T> {
        let selector = json!(selector);
        let find = format!(
            "(element => element === null ? null : {expression})(document.querySelector({selector}))"
        );
        self.0.evaluate::<Option<T>>(&find).await.ok()?
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
